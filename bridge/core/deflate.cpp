#include "bridge/core/deflate.h"

#include <zlib.h>

#include <array>
#include <cstdlib>
#include <limits>
#include <new>
#include <utility>

#include "proto/wipe.h"

namespace trestle {
namespace {

constexpr int kRawWindow = -15;  // negative: DEFLATE without zlib's header
// The empty stored block that ends every flush: left out on the wire (sections 7.2.1 and 7.2.2).
constexpr std::string_view kTail{"\x00\x00\xff\xff", 4};

// zlib only reads through it.
Bytef* bytes_of(std::string_view text) { return reinterpret_cast<Bytef*>(const_cast<char*>(text.data())); }

void must_have_memory(int outcome) {
  if (outcome != Z_OK) throw std::bad_alloc();  // all else that can fail here is fixed at compile time
}

}  // namespace

// --- out ---

struct Deflater::Impl {
  z_stream z{};
};

Deflater::Deflater(int level, int memory) : impl_(std::make_unique<Impl>()) {
  must_have_memory(::deflateInit2(&impl_->z, level, Z_DEFLATED, kRawWindow, memory, Z_DEFAULT_STRATEGY));
}

Deflater::~Deflater() { ::deflateEnd(&impl_->z); }

bool Deflater::deflate(std::string_view message, std::string& out) {
  if (message.size() > std::numeric_limits<uInt>::max() - kTail.size()) return false;
  const auto before = out.size();
  const auto room = message.size() + kTail.size();
  out.resize(before + room);
  auto& z = impl_->z;
  ::deflateReset(&z);
  z.next_in = bytes_of(message);
  z.avail_in = static_cast<uInt>(message.size());
  z.next_out = reinterpret_cast<Bytef*>(&out[before]);
  z.avail_out = static_cast<uInt>(room);
  const bool done = ::deflate(&z, Z_SYNC_FLUSH) == Z_OK && z.avail_out > 0;  // full: it may not be all
  out.resize(done ? before + room - z.avail_out - kTail.size() : before);
  return done;
}

// --- in ---

// zlib keeps a window of what it has inflated, in a block that it asks for. Between messages nothing in it
// counts.
struct Inflater::Impl {
  static constexpr std::size_t kWindow = 32768;

  static void* allocate(void* self, unsigned int items, unsigned int size) {
    const auto bytes = std::size_t{items} * size;
    auto* block = static_cast<char*>(std::calloc(1, bytes));
    if (bytes >= kWindow) static_cast<Impl*>(self)->window = {block, block == nullptr ? 0 : bytes};
    return block;
  }
  static void release(void*, void* block) { std::free(block); }

  void forget() {
    wipe(buffer.data(), buffer.size());
    if (window.first != nullptr) wipe(window.first, window.second);
  }

  z_stream z{};
  std::pair<char*, std::size_t> window{nullptr, 0};
  std::array<char, 16384> buffer;
};

Inflater::Inflater() : impl_(std::make_unique<Impl>()) {
  impl_->z.zalloc = Impl::allocate;
  impl_->z.zfree = Impl::release;
  impl_->z.opaque = impl_.get();
  must_have_memory(::inflateInit2(&impl_->z, kRawWindow));
}

Inflater::~Inflater() { ::inflateEnd(&impl_->z); }

Inflated Inflater::inflate(std::string_view message, std::size_t max, std::string& out) {
  constexpr int kUnusedBits = 63;
  constexpr int kLastBlock = 64;
  constexpr int kBetweenBlocks = 128;
  out.clear();
  ::inflateReset(&impl_->z);
  struct Forget {
    Impl& impl;
    ~Forget() { impl.forget(); }
  } const forget{*impl_};
  auto outcome = take(message, max, out);
  const auto size = out.size();
  if (outcome == Inflated::ok) outcome = take(kTail, max, out);
  if (outcome != Inflated::ok) return outcome;
  // The tail must be a block of its own, not the rest of one that lacks its end.
  const int state = impl_->z.data_type & (kUnusedBits | kLastBlock | kBetweenBlocks);
  return state == kBetweenBlocks && out.size() == size ? Inflated::ok : Inflated::invalid;
}

Inflated Inflater::take(std::string_view bytes, std::size_t max, std::string& out) {
  if (bytes.size() > std::numeric_limits<uInt>::max()) return Inflated::too_big;
  auto& z = impl_->z;
  auto& buffer = impl_->buffer;
  z.next_in = bytes_of(bytes);
  z.avail_in = static_cast<uInt>(bytes.size());
  do {
    z.next_out = reinterpret_cast<Bytef*>(buffer.data());
    z.avail_out = static_cast<uInt>(buffer.size());
    const int outcome = ::inflate(&z, Z_SYNC_FLUSH);
    if (outcome == Z_MEM_ERROR) throw std::bad_alloc();
    if (outcome == Z_BUF_ERROR) break;  // the last buffer was full to the brim, nothing more comes
    if (outcome != Z_OK && outcome != Z_STREAM_END) return Inflated::invalid;
    out.append(buffer.data(), buffer.size() - z.avail_out);
    if (out.size() > max) return Inflated::too_big;
    // A final block need not be the last one of a message (section 7.2.3.4).
    if (outcome == Z_STREAM_END) ::inflateReset(&z);
  } while (z.avail_in > 0 || z.avail_out == 0);
  return Inflated::ok;
}

}  // namespace trestle
