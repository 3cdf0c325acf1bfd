// SPDX-License-Identifier: MIT
// A buffer for a password, which is wiped when it goes out of scope. It comes from bufpool where
// the library is preloaded, and from malloc where it is not:
//
//   g++ -std=c++17 raii_buffer.cpp -o raii_buffer
//   ./raii_buffer
//   LD_PRELOAD=libbufpool.so.1 ./raii_buffer
#include <bufpool/bufpool.h>

#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <string_view>
#include <utility>

// Holds a buffer, and wipes it at its end. A buffer goes back to where it came from: whether the
// library is there is decided before main, and does not change.
class WipedBuffer {
 public:
  explicit WipedBuffer(std::size_t size) : data_(get(size)), size_(size) {
    if (data_ == nullptr) throw std::bad_alloc();
  }
  ~WipedBuffer() { put(data_, size_); }

  WipedBuffer(WipedBuffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  WipedBuffer& operator=(WipedBuffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }
  WipedBuffer(const WipedBuffer&) = delete;
  WipedBuffer& operator=(const WipedBuffer&) = delete;

  char* data() noexcept { return static_cast<char*>(data_); }
  std::size_t size() const noexcept { return size_; }

  static bool is_pooled() noexcept { return bufpool_get != nullptr && bufpool_put != nullptr; }

 private:
  static void* get(std::size_t size) { return is_pooled() ? bufpool_get(size) : std::malloc(size); }
  static void put(void* data, std::size_t size) noexcept {
    if (is_pooled()) return bufpool_put(data, size);
    // The compiler must not drop the writes although nobody reads them.
    volatile char* const bytes = static_cast<char*>(data);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = 0;
    std::free(data);
  }

  void* data_;
  std::size_t size_;
};

int main() {
  constexpr std::string_view kSecret = "correct horse battery staple";
  WipedBuffer password(4096);
  kSecret.copy(password.data(), password.size());
  WipedBuffer other = std::move(password);
  std::printf("%zu bytes from %s: %.7s...\n", other.size(),
              WipedBuffer::is_pooled() ? bufpool_version() : "malloc", other.data());
}
