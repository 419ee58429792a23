// A part of the page whose markup the server replaces. It changes only what differs, so that focus, text being typed,
// open menus and unfolded rows stay; and it tells the server where a person wants to go instead of leaving the page.

// Attributes that belong to the browser once an element is there.
const KEPT = { DETAILS: ["open"], BUTTON: ["aria-expanded"], TR: ["hidden"], LABEL: ["hidden"] };

const sameKind = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");

function morphAttributes(from, to) {
  const kept = KEPT[from.nodeName] ?? [];
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !kept.includes(name)) from.removeAttribute(name);
  }
  for (const { name, value } of to.attributes) {
    if (from.getAttribute(name) !== value && !(kept.includes(name) && from.id)) from.setAttribute(name, value);
  }
}

function morph(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  // What a person has typed stays, unless the server's own value became another one.
  const said = from.nodeName === "INPUT" && from.getAttribute("value") !== to.getAttribute("value");
  morphAttributes(from, to);
  if (said && from !== document.activeElement && from.value !== to.value) from.value = to.value;
  morphChildren(from, to);
}

function morphChildren(from, to) {
  let present = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    if (present && !sameKind(present, wanted) && wanted.id) {
      // A row that moved: what stands between is gone or comes later.
      const moved = [...from.children].find((child) => child.id === wanted.id);
      if (moved) {
        from.insertBefore(moved, present);
        present = moved;
      }
    }
    if (present && sameKind(present, wanted)) {
      const next = present.nextSibling;
      morph(present, wanted);
      present = next;
    } else {
      from.insertBefore(wanted, present);
    }
  }
  while (present) {
    const next = present.nextSibling;
    present.remove();
    present = next;
  }
}

const formAddress = (form) => {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value !== "") query.append(name, value);
  const text = query.toString();
  return form.getAttribute("action") + (text ? `?${text}` : "");
};

export default {
  template: `<component :is="tag" @click="onClick" @input="onInput" @submit="onSubmit"></component>`,
  props: { markup: String, tag: String },
  mounted() {
    this.$el.innerHTML = this.markup;
  },
  watch: {
    // Not at every rendering: what the browser itself put here, an open dialog say, stays until the markup is another.
    markup: {
      flush: "post",
      handler() {
        const wanted = document.createElement("template");
        wanted.innerHTML = this.markup;
        morphChildren(this.$el, wanted.content);
      },
    },
  },
  beforeUnmount() {
    clearTimeout(this.typing);
  },
  methods: {
    onClick(event) {
      if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
      const act = event.target.closest("[data-act]");
      if (act) return this.$emit("act", act.dataset.act, act.dataset.about ?? "");
      const link = event.target.closest("a[data-here], button[data-here]");
      if (!link) return;
      event.preventDefault();
      this.$emit("go", link.getAttribute("href") ?? link.dataset.here, false);
    },
    onInput(event) {
      const form = event.target.closest("form[data-here]");
      if (!form || event.target.type !== "search") return;
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.$emit("go", formAddress(form), true), 250);
    },
    onSubmit(event) {
      const form = event.target.closest("form[data-here]");
      if (!form) return;
      event.preventDefault();
      clearTimeout(this.typing);
      this.$emit("go", formAddress(form), false);
    },
  },
};
