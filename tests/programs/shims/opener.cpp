// SPDX-License-Identifier: MIT
// Opens the plug-in that lies beside it by its bare name, by its own RUNPATH.
#include <dlfcn.h>

extern "C" void* open_plugin(int mode) { return dlopen("plugin.so", mode); }
