/** Splits a list in one text at its blanks. */
export const words = (text: string): string[] => text.trim().split(/\s+/);
