# zsh -f complete.zsh DIRECTORY LINE: what zsh offers when Tab is pressed at the end of LINE, one word a line, with the
# completions of DIRECTORY alone. zsh completes on a terminal only, so a second zsh runs on a pseudo terminal.
if [[ $1 == inside ]]; then
  PROMPT=
  unset zle_bracketed_paste
  fpath=($2 $fpath)
  autoload -Uz compinit
  compinit -u -D
  bindkey '^I' complete-word
  zstyle ':completion:*' insert-tab false
  mark() { print -r -- $'\x01' }
  compprefuncs=(mark) comppostfuncs=(mark exit)
  compadd() {
    # Calls that only compute keep their meaning.
    if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
      builtin compadd "$@"
      return
    fi
    local -a offered
    builtin compadd -A offered "$@"
    local word
    for word in $offered; print -r -- $IPREFIX$word
  }
  print -r -- READY
  return
fi
zmodload zsh/zpty
zpty inside zsh -f -i
zpty -w inside "source ${(q)0:A} inside ${(q)1}"
while zpty -r inside line; do [[ $line == READY* ]] && break; done
zpty -w -n inside "$2"$'\t'
marks=0
while ((marks < 2)) && zpty -r inside line; do
  line=${${line%$'\n'}%$'\r'}
  if [[ $line == *$'\x01'* ]]; then ((++marks)); elif ((marks)); then print -r -- $line; fi
done
zpty -d inside
