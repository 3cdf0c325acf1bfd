// SPDX-License-Identifier: MIT
// Wrong variables are told once, though every child inherits them.
#pragma once

#include "pool/options/options.h"

namespace bufpool {

// Keeps the programs that this process executes from complaining of the same variable again: its
// name is put into small letters where it stands, BUFPOOL_REPROT to bufpool_REPROT, which is none
// of the library's. So nothing is added to the environment, moved or taken away. It leaves a
// variable alone that does not lie where the kernel has put the environment. Pre: the complaint's
// names are views into the environment.
void hide_from_children(const Complaint& complaint) noexcept;

}  // namespace bufpool
