/** Secrets that cannot be mistaken for anything else, by what they are. */
export type PlantedSecrets = Readonly<Record<string, string>>;

/** Which of the secrets are in these bytes, in which spelling: as they are, URL-encoded, in hex or in base64. */
export function findSecrets(bytes: string, secrets: PlantedSecrets): string[] {
  return Object.entries(secrets).flatMap(([name, secret]) =>
    encodings(secret)
      .filter(([, text]) => bytes.includes(text))
      .map(([spelling]) => `${name}, ${spelling}`),
  );
}

function encodings(secret: string): [spelling: string, text: string][] {
  const hex = Buffer.from(secret).toString('hex');
  const encoded = encodeURIComponent(secret);
  return [
    ['plain', secret],
    ['URL-encoded', encoded],
    ['URL-encoded', encoded.replaceAll(/%../g, (escape) => escape.toLowerCase())],
    ['hex', hex],
    ['hex', hex.toUpperCase()],
    ...[0, 1, 2].flatMap((before): [string, string][] => {
      const base64 = base64Fragment(secret, before);
      return [
        ['base64', base64],
        ['base64', base64.replaceAll('+', '-').replaceAll('/', '_')],
      ];
    }),
  ];
}

/** What of a secret's base64 does not depend on its neighbours, when so many bytes (modulo 3) stand before it. */
function base64Fragment(secret: string, before: number): string {
  const bytes = Buffer.from('\0'.repeat(before) + secret);
  const whole = Math.floor((bytes.length * 8) / 6);
  return bytes.toString('base64').slice(Math.ceil((before * 8) / 6), whole);
}
