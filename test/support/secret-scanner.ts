/** Unmistakable secrets by name. */
export type PlantedSecrets = Readonly<Record<string, string>>;

/** Finds secrets in plain, URL-encoded, hexadecimal or base64 form. @returns the name and the encoding of each */
export function findSecrets(bytes: string, secrets: PlantedSecrets): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    encodings(secret)
      .filter(([, text]) => bytes.includes(text))
      .map(([encoding]) => `${name}, ${encoding}`),
  );
}

function encodings(secret: string): [encoding: string, text: string][] {
  const hex = Buffer.from(secret).toString('hex');
  const encoded = encodeURIComponent(secret);
  return [
    ['plain', secret],
    ['URL-encoded', encoded],
    ['URL-encoded', encoded.replaceAll(/%../g, (escape) => escape.toLowerCase())],
    ['hex', hex],
    ['hex', hex.toUpperCase()],
    ...[0, 1, 2].flatMap((offset): [string, string][] => {
      const base64 = base64Fragment(secret, offset);
      return [
        ['base64', base64],
        ['base64', base64.replaceAll('+', '-').replaceAll('/', '_')],
      ];
    }),
  ];
}

/** The part of a secret's base64 form that does not depend on the bytes around it. @param offset modulo 3 */
function base64Fragment(secret: string, offset: number): string {
  const bytes = Buffer.from('\0'.repeat(offset) + secret);
  const whole = Math.floor((bytes.length * 8) / 6);
  return bytes.toString('base64').slice(Math.ceil((offset * 8) / 6), whole);
}
