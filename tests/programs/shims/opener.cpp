// SPDX-License-Identifier: MIT
// Opens the plug-in by its bare name, as one that lies beside it: by its own RUNPATH.
#include <dlfcn.h>

extern "C" void* open_plugin(int mode) { return dlopen("plugin.so", mode); }
