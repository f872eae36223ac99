/** A place in a text file. Lines and columns count from 1, as editors do. */
export interface Position {
  /** The path as the user gave it. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** How many characters are meant; the caret line is that long. */
  readonly length: number;
  /** The text of that line, for the excerpt. */
  readonly text: string;
}
