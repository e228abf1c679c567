"use strict";
// Searching would start a worker from a string, which the page's policy does not allow.
Redoc.init("openapi.json", { disableSearch: true }, document.getElementById("api"));
