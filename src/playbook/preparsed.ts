/**
 * The shipped playbooks as they were read while pgduet was built, by their text: JSON of src/base/packed-yaml.ts. To read them at each
 * start takes longer than a look at two hosts. One that was edited is another text, and is read. The build fills it
 * (scripts/precompiled.mjs); it is empty where the source itself runs.
 */
export const preparsed: ReadonlyMap<string, string> = new Map();
