// Before anything is painted: the theme that was chosen last.
document.documentElement.dataset.theme = localStorage.getItem("r3mem-theme") ?? "system";
