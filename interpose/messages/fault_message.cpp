// SPDX-License-Identifier: MIT
#include "interpose/messages/fault_message.h"

#include <cstdlib>
#include <string_view>

#include "interpose/messages/message.h"

namespace bufpool {
namespace {

void describe_wrong_address(const Fault& fault, Message& message) noexcept {
  const bool inside = fault.address > fault.buffer;
  message.text(": the address is ")
      .number(inside ? fault.address - fault.buffer : fault.buffer - fault.address)
      .text(inside ? " bytes inside the buffer at " : " bytes in front of the buffer at ")
      .address(fault.buffer);
  if (fault.buffer_is_free) message.text(", which is free");
}

void describe(const Fault& fault, Message& message) noexcept {
  const std::string_view call = fault.call == Fault::Call::kFree ? "free" : "realloc";
  switch (fault.kind) {
    case Fault::Kind::kDoubleFree:
      message.text("double free of ").address(fault.address);
      if (fault.call != Fault::Call::kFree) message.text(" at ").text(call);
      message.text(": this buffer is free already");
      return;
    case Fault::Kind::kOverrun:
      message.text("buffer overrun found at ").text(call).text(" of ").address(fault.address);
      message.text(": its guard line is overwritten");
      if (fault.overrun_from == 0) return;
      message.text(", most likely by the buffer at ")
          .address(fault.overrun_from)
          .text(", which ends there");
      return;
    case Fault::Kind::kInnerPointer:
    case Fault::Kind::kInFront:
    case Fault::Kind::kNotHandedOut:
      message.text("invalid ").text(call).text(" of ").address(fault.address);
      if (fault.kind != Fault::Kind::kNotHandedOut) return describe_wrong_address(fault, message);
      message.text(": no buffer was ever handed out there");
      return;
  }
}

}  // namespace

void abort_on_fault(const Fault& fault) {
  Message message;
  describe(fault, message);
  if (fault.class_bytes != 0) message.text(" (class ").number(fault.class_bytes).text(")");
  message.say();
  std::abort();
}

}  // namespace bufpool
