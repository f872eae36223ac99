/** What the schema says about a key: its part of the schema, an example, and a few words of meaning. Pure. */
import type { Path } from './draft.ts';
import { asOne, inventoryJsonSchema, type JsonSchema } from './schema.ts';

let schema: JsonSchema | undefined;

/** The schema is made once and only when something is wrong: it takes longer than all checks together. */
export function knownSchema(): JsonSchema {
  schema ??= inventoryJsonSchema();
  return schema;
}

/** The part of the schema that a path leads to. */
export function schemaAt(root: JsonSchema, path: Path): JsonSchema | undefined {
  return path.reduce<JsonSchema | undefined>((schema, step) => {
    if (typeof step === 'number') return schema?.items;
    const own = schema?.properties?.[step];
    const other = schema?.additionalProperties;
    const found = own ?? (typeof other === 'object' ? other : undefined);
    return found && asOne(found);
  }, root);
}

export function exampleOf(schema: JsonSchema | undefined): string | undefined {
  const example = schema?.examples?.[0] ?? schema?.enum?.[0];
  return example === undefined ? undefined : String(example);
}

/** What a key is, from the first sentence of its description, to go on with in a sentence. */
export function meaning(about: JsonSchema | undefined, otherwise: string): string {
  const sentence = (about?.description ?? otherwise).split(/\.(?:\s|$)/)[0] ?? otherwise;
  return /^[A-Z][a-z-]*\b/.test(sentence) && !/^[A-Z][a-z]*[A-Z]/.test(sentence)
    ? sentence.charAt(0).toLowerCase() + sentence.slice(1)
    : sentence;
}
