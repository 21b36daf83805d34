// The product itself on tile units: see tiles.h.
//
// A block of C, two tiles by two, stays in four of the eight tile registers for a part of K; two hold tiles
// of A and two of B. The six products of parts are taken in an order in which one side changes at a time, so
// 14 tiles are fetched for 24 products.
#include "compute/cpu/tiles.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <hwy/base.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "compute/cpu/arena.h"
#include "compute/cpu/tiles_split.h"

HWY_PUSH_ATTRIBUTES("avx512f,avx512bw,avx512vl,amx-tile,amx-bf16")

namespace hone::compute::cpu::tiles {

namespace {

constexpr int64_t kDepthBlocks = kProductDepth / kBlockDepth;  // of a part of K
constexpr int64_t kRowsAtOnce = 256;                           // of A, cut into parts of floats
constexpr int64_t kTileBytes = 1024;

struct alignas(64) TileShapes {
  uint8_t palette = 1, start_row = 0, reserved[14] = {};
  uint16_t row_bytes[16] = {};
  uint8_t rows[16] = {};
};

// Tile registers of a thread, for as long as it multiplies.
class Registers {
 public:
  Registers() {
    TileShapes shapes;
    std::fill_n(shapes.row_bytes, 8, 64);
    std::fill_n(shapes.rows, 8, 16);
    fence();
    _tile_loadconfig(&shapes);
  }
  ~Registers() { _tile_release(); }
  Registers(const Registers&) = delete;
  Registers& operator=(const Registers&) = delete;

  // The compiler does not know what tile loads read: nothing is moved across.
  static void fence() { __asm__ volatile("" ::: "memory"); }
};

// Two lanes of each side at a block of K.
struct Sides {
  const char *a0, *a1, *b0, *b1;
};
struct Ahead {  // bytes to fetch meanwhile: `lines` cache lines for each block of K
  const char* at;
  int64_t lines;
};

// Tile registers: 0 1 / 2 3 are C, 4 and 5 of A, 6 and 7 of B.
#define HONE_LOAD_A(part)                       \
  _tile_loadd(4, s.a0 + (part)*kTileBytes, 64); \
  if constexpr (MT == 2) _tile_loadd(5, s.a1 + (part)*kTileBytes, 64)
#define HONE_LOAD_B(part)                       \
  _tile_loadd(6, s.b0 + (part)*kTileBytes, 64); \
  if constexpr (NT == 2) _tile_loadd(7, s.b1 + (part)*kTileBytes, 64)
#define HONE_MULTIPLY()                           \
  _tile_dpbf16ps(0, 4, 6);                        \
  if constexpr (NT == 2) _tile_dpbf16ps(1, 4, 7); \
  if constexpr (MT == 2) _tile_dpbf16ps(2, 5, 6); \
  if constexpr (MT == 2 && NT == 2) _tile_dpbf16ps(3, 5, 7)

template <int MT, int NT, int P>
inline __attribute__((always_inline)) void sum_blocks(int64_t blocks, Sides s, Ahead ahead) {
  constexpr int kHigh = 0, kMiddle = 1, kLow = 2;
  for (int64_t k = 0; k < blocks; ++k) {
    HONE_LOAD_A(kHigh);
    if constexpr (P == kExact) {
      HONE_LOAD_B(kLow);
      HONE_MULTIPLY();
    }
    HONE_LOAD_B(kMiddle);
    HONE_MULTIPLY();
    if constexpr (P == kExact) {
      HONE_LOAD_A(kMiddle);
      HONE_MULTIPLY();
      HONE_LOAD_B(kHigh);
      HONE_MULTIPLY();
      HONE_LOAD_A(kLow);
      HONE_MULTIPLY();
      HONE_LOAD_A(kHigh);
      HONE_MULTIPLY();
    } else {
      HONE_LOAD_B(kHigh);
      HONE_MULTIPLY();
      HONE_LOAD_A(kMiddle);
      HONE_MULTIPLY();
    }
    for (int64_t i = 0; i < ahead.lines; ++i, ahead.at += 64) _mm_prefetch(ahead.at, _MM_HINT_T1);
    constexpr int64_t kStep = P * kTileBytes;
    s = {s.a0 + kStep, s.a1 + kStep, s.b0 + kStep, s.b1 + kStep};
  }
}

// What sums start at: `step` floats from row to row, 0 where it is a bias; null: zero.
struct Start {
  const float* at;
  int64_t step;
};

// A block of C at `c`, `step` floats from row to row; whole tiles of it are there.
template <int MT, int NT, int P>
void whole_block(int64_t blocks, const Sides& s, const Start& start, float* c, int64_t step,
                 const Ahead& ahead) {
  const auto bytes = step * int64_t{sizeof(float)}, from = start.step * int64_t{sizeof(float)};
  if (start.at != nullptr) {
    _tile_loadd(0, start.at, from);
    if constexpr (NT == 2) _tile_loadd(1, start.at + kLane, from);
    if constexpr (MT == 2) _tile_loadd(2, start.at + kLane * start.step, from);
    if constexpr (MT == 2 && NT == 2) _tile_loadd(3, start.at + kLane * start.step + kLane, from);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  sum_blocks<MT, NT, P>(blocks, s, ahead);
  _tile_stored(0, c, bytes);
  if constexpr (NT == 2) _tile_stored(1, c + kLane, bytes);
  if constexpr (MT == 2) _tile_stored(2, c + kLane * step, bytes);
  if constexpr (MT == 2 && NT == 2) _tile_stored(3, c + kLane * step + kLane, bytes);
}

#undef HONE_LOAD_A
#undef HONE_LOAD_B
#undef HONE_MULTIPLY

template <int P>
void block_of(int64_t rows, int64_t columns, int64_t blocks, const Sides& s, const Start& start, float* c,
              int64_t step, const Ahead& ahead) {
  if (rows > kLane && columns > kLane) return whole_block<2, 2, P>(blocks, s, start, c, step, ahead);
  if (rows > kLane) return whole_block<2, 1, P>(blocks, s, start, c, step, ahead);
  if (columns > kLane) return whole_block<1, 2, P>(blocks, s, start, c, step, ahead);
  whole_block<1, 1, P>(blocks, s, start, c, step, ahead);
}

// The same where only `rows` x `columns` of C may exist.
template <int P>
void block(int64_t rows, int64_t columns, int64_t blocks, const Sides& s, const Out& out,
           const Ahead& ahead) {
  Start start{nullptr, 0};
  if (out.bias != nullptr) start = {out.bias, 0};
  if (out.accumulate) start = {out.data, out.ldc};
  Registers::fence();
  if (rows % kLane == 0 && columns % kLane == 0) {
    block_of<P>(rows, columns, blocks, s, start, out.data, out.ldc, ahead);
  } else {
    alignas(64) float edge[kStrip * kStrip] = {};
    for (int64_t r = 0; start.at != nullptr && r < rows; ++r)
      std::copy_n(start.at + r * start.step, columns, edge + r * kStrip);
    Registers::fence();
    block_of<P>(rows, columns, blocks, s, {edge, kStrip}, edge, kStrip, ahead);
    Registers::fence();
    for (int64_t r = 0; r < rows; ++r) std::copy_n(edge + r * kStrip, columns, out.data + r * out.ldc);
  }
  Registers::fence();
}

template <int P>
void multiply_parts(const Left& a, const Strips& b, int64_t first_strip, int64_t m, int64_t n, const Out& c,
                    const Depth& range) {
  constexpr int64_t kStep = P * kTileBytes;
  const Registers registers;
  const int64_t blocks = depth_blocks(range.count), strips = (n + kStrip - 1) / kStrip;
  const int64_t parts = std::max<int64_t>(1, (blocks + kDepthBlocks - 1) / kDepthBlocks);
  const int64_t whole = (blocks + parts - 1) / parts;
  const int64_t lane_bytes = lane_floats(b.rows, P) * int64_t{sizeof(float)};
  // Too much for a stack that may be a host's; where rows of A are cut, they are used for microseconds at
  // least.
  AlignedFloats memory;
  if (!a.packed) {
    const int64_t lanes = (std::min(m, kRowsAtOnce) + kLane - 1) / kLane;
    memory = aligned_floats(static_cast<size_t>(lanes * whole * block_words(P)));
  }
  Word* left = reinterpret_cast<Word*>(memory.get());
  for (int64_t row = 0; row < m; row += kRowsAtOnce) {
    const int64_t rows = std::min(kRowsAtOnce, m - row);
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t first = part * whole, depth = std::min(whole, blocks - first);
      const char* lanes = reinterpret_cast<const char*>(left);
      int64_t lane_step = depth * kStep;
      if (a.packed) {
        lanes = reinterpret_cast<const char*>(a.data) + row / kLane * lane_bytes + first * kStep;
        lane_step = lane_bytes;
      } else {
        const int64_t k = first * kBlockDepth;
        split_rows<P>(a.data + row * a.lda + k, a.lda, rows, std::min(depth * kBlockDepth, range.count - k),
                      left);
      }
      const int64_t pairs = (rows + 2 * kLane - 1) / (2 * kLane);
      for (int64_t s = 0; s < strips; ++s) {
        const char* right = reinterpret_cast<const char*>(b.strip(first_strip + s)) +
                            (range.first / kBlockDepth + first) * kStep;
        const int64_t column = s * kStrip;
        for (int64_t pair = 0; pair < pairs; ++pair) {
          const char* two = lanes + 2 * pair * lane_step;
          Out out{c.data + (row + pair * 2 * kLane) * c.ldc + column, c.ldc, c.accumulate || part > 0,
                  part == 0 && c.bias != nullptr ? c.bias + column : nullptr};
          // One pair fetches one lane of the next strip, the second the other.
          const bool more = s + 1 < strips && pair < 2;
          block<P>(std::min(2 * kLane, rows - pair * 2 * kLane), std::min(kStrip, n - column), depth,
                   {two, two + lane_step, right, right + lane_bytes}, out,
                   {right + (2 + pair) * lane_bytes, more ? kStep / 64 : 0});
        }
      }
    }
  }
}

}  // namespace

namespace {

enum class Units { none, refused, there };

Units units() {
  static const Units found = [] {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_OSXSAVE) == 0) return Units::none;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return Units::none;
    constexpr unsigned kVectors = 1U << 16 | 1U << 30 | 1U << 31;  // AVX-512 F, BW, VL
    constexpr unsigned kTiles = 1U << 22 | 1U << 24;               // AMX bf16, tile
    if ((b & kVectors) != kVectors || (d & kTiles) != kTiles) return Units::none;
    unsigned low = 0, high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    constexpr unsigned kSaved = 0xE6 | 3U << 17;  // the system saves vectors and tiles
    if ((low & kSaved) != kSaved) return Units::none;
    constexpr long kAskForState = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM
    return syscall(SYS_arch_prctl, kAskForState, kTileData) == 0 ? Units::there : Units::refused;
  }();
  return found;
}

}  // namespace

bool available() {
  return units() == Units::there;
}
bool refused() {
  return units() == Units::refused;
}

void multiply(const Left& a, const Strips& b, int64_t first_strip, int64_t m, int64_t n, const Out& c,
              const Depth& range) {
  if (b.parts == kShort) return multiply_parts<kShort>(a, b, first_strip, m, n, c, range);
  multiply_parts<kExact>(a, b, first_strip, m, n, c, range);
}

}  // namespace hone::compute::cpu::tiles

HWY_POP_ATTRIBUTES

#endif
