// What pages do in the browser without asking the server: menus close, the theme changes, rows unfold.
(() => {
  const root = document.documentElement;

  const closeMenus = (except) =>
    document.querySelectorAll("details.menu[open]").forEach((menu) => menu !== except && (menu.open = false));

  document.addEventListener("click", (event) => {
    const menu = event.target.closest("details.menu");
    closeMenus(menu);
    if (menu && event.target.closest(".menu-panel a, .menu-panel button[type=submit], [data-closes]")) menu.open = false;

    const theme = event.target.closest("[data-theme-choice]");
    if (theme) chooseTheme(theme.dataset.themeChoice);

    const row = event.target.closest("tr[data-unfolds]");
    if (row && !event.target.closest("a") && matchMedia("(max-width: 767px)").matches) unfold(row);
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.menu[open]");
    closeMenus();
    menu?.querySelector("summary").focus();
  });

  // A menu ends when the focus leaves it.
  document.addEventListener("focusout", (event) => {
    const menu = event.target.closest?.("details.menu[open]");
    if (menu && event.relatedTarget && !menu.contains(event.relatedTarget)) menu.open = false;
  });

  function chooseTheme(choice) {
    if (choice === "system") delete root.dataset.theme;
    else root.dataset.theme = choice;
    const age = choice === "system" ? 0 : 31536000;
    const secure = location.protocol === "https:" ? "; Secure" : "";
    document.cookie = `adloom_theme=${choice}; Path=/; Max-Age=${age}; SameSite=Lax${secure}`;
    document.querySelectorAll("[data-theme-choice]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
    });
  }

  function unfold(row) {
    const button = row.querySelector("button[aria-expanded]");
    const more = document.getElementById(button.getAttribute("aria-controls"));
    const open = button.getAttribute("aria-expanded") !== "true";
    button.setAttribute("aria-expanded", String(open));
    more.hidden = !open;
  }

  // Back and forward show the state that the address names.
  window.addEventListener("popstate", () => location.reload());
})();
