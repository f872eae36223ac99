/**
 * The shipped templates as Handlebars' own `precompile` leaves them, by their text: to compile them at each start takes longer than a
 * look at two hosts. The build fills it (scripts/precompiled.mjs); it is empty where the source itself runs.
 */
export const precompiled: ReadonlyMap<string, TemplateSpecification> = new Map();
