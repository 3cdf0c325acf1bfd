// SPDX-License-Identifier: MIT
// Marks what the library shows to other modules. interpose/exports.map has to list the names, too.
#pragma once

#define BUFPOOL_EXPORT extern "C" [[gnu::visibility("default")]]
