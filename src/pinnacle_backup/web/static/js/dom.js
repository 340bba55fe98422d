// The few lines that all modules share.

/** @type {(selector: string, root?: ParentNode) => any[]} */
export const all = (selector, root = document) => [...root.querySelectorAll(selector)];

/**
 * Calls back for events on elements that match, now or later in the page.
 * @type {(type: string, selector: string, handle: (element: any, event: any) => void) => void}
 */
export const on = (type, selector, handle) =>
  document.addEventListener(type, (event) => {
    const element = /** @type {Element} */ (event.target).closest?.(selector);
    if (element) handle(element, event);
  });

/**
 * Makes an element; children are elements or text, never markup.
 * @param {string} tag @param {Record<string, string>} [attributes] @param {...(Node | string)} children
 */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/** Makes an icon of the sprite. @param {string} name */
export function icon(name) {
  const [svg, use] = ["svg", "use"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  use.setAttribute("href", `${new URL("../icons.svg", import.meta.url).pathname}#${name}`);
  svg.setAttribute("class", "icon");
  svg.append(use);
  return svg;
}

/** Works with what the browser keeps, where it keeps anything. @type {(work: () => any) => any} */
export function stored(work) {
  try {
    return work();
  } catch {
    return null;
  }
}
