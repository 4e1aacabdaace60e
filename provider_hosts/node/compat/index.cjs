"use strict";
module.exports = require("@mediaconduit/provider").internal.compat;
