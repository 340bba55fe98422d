// Runs before the first paint, so it is no module: that scripts run at all, and the chosen colours.
document.documentElement.dataset.js = "";
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch { /* no storage: as the system has it */ }
