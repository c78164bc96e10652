// Elements without a framework: h() builds one, list() keeps the children of a host equal to a list of rows and keeps the
// element (and so the focus, the scroll and what was typed) of a row that is still there.

export type Child = Node | string | number | false | null | undefined | Child[];
export type Attrs = Record<string, unknown>;

function append(element: Element, children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(element, child);
    else if (child instanceof Node) element.append(child);
    else if (child !== false && child !== null && child !== undefined) element.append(String(child));
  }
}

// `attrs`: onclick and its kin take functions; class, aria-*, data-* and all else become attributes; true sets one
// without a value; false, null and undefined leave it out; "value", "checked" and "disabled" are set as properties.
// Text is always text: nothing here makes HTML of a string.
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attrs?: Attrs | null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on") && typeof value === "function")
      element.addEventListener(name.slice(2), value as EventListener);
    else if (name === "value" || name === "checked" || name === "disabled")
      (element as unknown as Record<string, unknown>)[name] = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

// Replaces all children.
export function fill(host: Element, ...children: Child[]): void {
  host.replaceChildren();
  append(host, children);
}

interface Kept {
  element: HTMLElement;
  drawn: string;
}

const kept = new WeakMap<HTMLElement, Map<string, Kept>>();

// Keyed update: the children of `host` become draw(row) of each row, in order. A row whose JSON (or `version`, when
// given) is unchanged keeps its element; a changed one is drawn anew in its place. The host has no other children.
export function list<T>(
  host: HTMLElement,
  rows: readonly T[],
  key: (row: T) => string,
  draw: (row: T) => HTMLElement,
  version: (row: T) => string = JSON.stringify,
): void {
  const before = kept.get(host) ?? new Map<string, Kept>();
  const after = new Map<string, Kept>();
  let at: ChildNode | null = host.firstChild;
  for (const row of rows) {
    const id = key(row);
    if (after.has(id)) continue; // two of one key would fight for one element
    const drawn = version(row);
    const old = before.get(id);
    let element = old?.element;
    if (!old || old.drawn !== drawn || !element || element.parentNode !== host) {
      const fresh = draw(row);
      if (element && element.parentNode === host) {
        const focused = element.contains(document.activeElement)
          ? (document.activeElement as HTMLElement).dataset.focus
          : undefined;
        if (at === element) at = fresh;
        element.replaceWith(fresh);
        if (focused) fresh.querySelector<HTMLElement>(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
      }
      element = fresh;
    }
    after.set(id, { element, drawn });
    if (element === at) at = at.nextSibling;
    else host.insertBefore(element, at);
  }
  while (at) {
    const next: ChildNode | null = at.nextSibling;
    at.remove();
    at = next;
  }
  kept.set(host, after);
}

// To the clipboard. A page that came over plain http from another machine has no clipboard of its own: the old way then.
export async function copyText(text: string): Promise<boolean> {
  const done = await navigator.clipboard?.writeText(text).then(() => true, () => false);
  if (done) return true;
  const focused = document.activeElement as HTMLElement | null;
  const field = h("textarea", { value: text, readonly: true, class: "spoken" });
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return copied;
}
