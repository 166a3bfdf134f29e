/**
 * Creates a view of a value that records which of its fields are read.
 *
 * @returns the view, and a function that returns the paths of the unread fields; for an unread object only its own path
 */
export function observeReads(value) {
  const read = new Set();
  return { proxy: view(value, '', read), unread: () => unreadPaths(value, '', read) };
}

function view(value, path, read) {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, name) {
      const field = Reflect.get(target, name);
      if (typeof name === 'symbol' || !Object.hasOwn(target, name)) return field;
      read.add(`${path}/${name}`);
      return view(field, `${path}/${name}`, read);
    },
  });
}

function unreadPaths(value, path, read) {
  if (typeof value !== 'object' || value === null) return [];
  return Object.keys(value).flatMap((name) => {
    const fieldPath = `${path}/${name}`;
    return read.has(fieldPath) ? unreadPaths(value[name], fieldPath, read) : [fieldPath];
  });
}
