// SPDX-License-Identifier: MIT
// Moves the contents of large buffers without touching them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "pool/blocks/all_spans.h"
#include "pool/blocks/altered_pages.h"
#include "pool/blocks/hit_tables.h"
#include "pool/blocks/pointer_check.h"
#include "pool/platform/memory.h"

namespace bufpool {

// Moves contents from one buffer to another by their pages, where either is the pool's or one of
// the allocator underneath.
//
// Any thread may call all, and so may a signal handler if both buffers are the pool's. The caller
// holds no lock.
class PageMove {
 public:
  struct Parts {
    const HitTables* tables = nullptr;
    PointerCheck* check = nullptr;
    AlteredPages* altered = nullptr;
    AllSpans* spans = nullptr;
  };
  // The parts outlive this. Pre: it is called once.
  void open(const Parts& parts) noexcept { parts_ = parts; }

  // Returns where in a page a block of class `c` begins that the pages at `from` can move into, as
  // in WideTake.
  [[nodiscard]] static std::uint32_t offset_for(const void* from, ClassIndex c) noexcept;

  // Moves the first `kept` bytes. The whole pages among them move, and the rest is copied. kYes:
  // the contents are at `to`, and the pages that platform::PagesToMove tells of `from` read as
  // zero. kNo: the contents are at `from` still, as they are few, lie in their pages in another way
  // than `to` does, or are on pages that the program altered, or because the kernel refused. kLost:
  // `from` is as it was, and `to` must not be used again. Pre: both buffers are in use, and the
  // pool's block of `to` is marked as growing.
  [[nodiscard]] platform::Moved move(void* from, void* to, std::size_t kept) noexcept;

 private:
  // It is a buffer, and where it is the pool's its block, which is 0 otherwise.
  struct Place {
    std::uintptr_t address;
    Block block;
    ClassIndex c;

    bool is_pools() const noexcept { return block != 0; }
    void* pointer() const noexcept { return reinterpret_cast<void*>(address); }
  };

  [[nodiscard]] Place place_of(const void* pointer) const noexcept;
  [[nodiscard]] bool may_come_from(const Place& from) const noexcept;
  [[nodiscard]] static bool may_come_to(const Place& to) noexcept;
  [[nodiscard]] bool is_strange(const Place& from) const noexcept;
  void settle(const Place& from, const Place& to, const platform::PagesToMove& pages) noexcept;

  Parts parts_;
};

}  // namespace bufpool
