/**
 * Where a line of a server's log quotes what may hold a secret: a command, an option of a client rule, a value. The server writes in the language
 * of `lc_messages`, so the words are those of its translations, told by their stems; where quotes and numbers tell the place,
 * no words count. Pure.
 */

/** "The failed archive command was: %s". */
const failed = [
  'command was',
  'Archivbefehl war',
  'orden fallida era',
  'orden de archivado\\S* fallid\\S+ era',
  "commande d['’]archivage qui a échoué était",
  'comando di archiviazione fallito era',
  'アーカイブコマンドは次のとおりです',
  'ბრძანება იყო',
  '아카이브 명령',
  'Команда архивации с ошибкой',
  'arkiveringskommandot var',
  'Команда архівації з помилкою',
  '归档命令是',
  '歸檔命令是',
  'arquivamento que falhou foi',
  'polecenie archiwiz\\S+ \\S+',
  'arşiv\\S* komutu\\S*',
  'archiva\\S+ příkaz[^:]*',
  'lệnh lưu trữ[^:]*',
  'αρχειοθέτησης[^:]*',
];

/** "authentication option not in name=value format: %s". */
const pair = [
  'name=value',
  'name=wert',
  'nombre=valor',
  'nom=valeur',
  'nome=val[oe]re?',
  '名前=値',
  'სახელი=მნიშვნელობა',
  '이름=값',
  'имя=значение',
  'namn=värde',
  "ім['’]я=значення",
  '名称=值',
  'nazwa=wartość',
  'isim=değer',
  'jméno=hodnota',
];

const opened = '["«»„“]\\s?';
const closed = '\\s?["«»”“]';

/** The command is in the second group. */
export const failedCommand = new RegExp(`((?:${failed.join('|')})\\s*[:：]\\s*)(.*)$`, 'i');

/** What stands behind the first group cannot be read by the server. RADIUS lists are told in English alone. */
export const unreadable = new RegExp(
  `(RADIUS secrets \\S+ |(?:${pair.join('|')})[^:："]*[:：]\\s*|near token |${opened}/[^"«»„“”]*${closed}[^\\d"«»„“”]*\\d+[^\\d"«»„“”]*(?=["«»„“]))\\S.*`,
  'i',
);

/** The name of a parameter in the second group, its value in the fourth one, between quotes. */
export const wrongValue = new RegExp(
  `(${opened}([\\w.]+)${closed}[^:："«»„“”]*\\s?[:：]\\s?)(${opened})(.*)(${closed})`,
);
