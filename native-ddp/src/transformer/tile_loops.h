#pragma once

#include <cstdint>

/**
 * Products of BF16 operands on tile registers, C[m, n] = A[m, k] · B[k, n], written against a type with the tile
 * instructions as static functions, so that the same loops run on AMX and, in tests, on tiles emulated on any CPU:
 *
 *   Configure(const Configuration&), Release()   of the calling thread
 *   Zero<tile>(), Load<tile>(from, bytes from row to row), Store<tile>(to, bytes from row to row)
 *   Multiply<c, a, b>()   c[m, n] += a[m, 2p] · b[p, 2n] + a[m, 2p + 1] · b[p, 2n + 1], summed over p
 *
 * Operands are packed into tiles of 1 KiB, filled up with zeros. A panel of A is kRows rows: for each kDepth values of
 * k a tile of kRows rows of them. A panel of B is kColumns columns: for each kDepth values of k a tile with one row a
 * pair (k, k + 1), the pairs of the columns side by side.
 */
namespace native_ddp::tiles {

constexpr int kRows = 16;
constexpr int kColumns = 16;
constexpr int kDepth = 32;
constexpr int kTileElements = kRows * kDepth;  // BF16, of a tile of A or B
constexpr int kTiles = 8;

/** What LDTILECFG loads: eight tiles of 16 rows of 64 bytes. */
struct alignas(64) Configuration {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(Configuration) == 64);

/** Elements of a packed panel of A or B. */
constexpr std::int64_t PanelElements(int depth) { return std::int64_t{(depth + kDepth - 1) / kDepth} * kTileElements; }

/** C in tiles 0 to 3, of which the second column takes 1 and 3 and the second row 2 and 3; A in 4 and 5, B in 6, 7. */
template <class Tiles, int kTileRows, int kTileColumns>
void MultiplyBlock(std::int64_t panel, const std::uint16_t* a, const std::uint16_t* b, bool accumulate, float* c,
                   std::int64_t leading) {
  const std::int64_t bytes = leading * std::int64_t{sizeof(float)};
  float* second_row = c + kRows * leading;
  if (accumulate) {
    Tiles::template Load<0>(c, bytes);
    if constexpr (kTileColumns > 1) Tiles::template Load<1>(c + kColumns, bytes);
    if constexpr (kTileRows > 1) Tiles::template Load<2>(second_row, bytes);
    if constexpr (kTileRows > 1 && kTileColumns > 1) Tiles::template Load<3>(second_row + kColumns, bytes);
  } else {
    Tiles::template Zero<0>();
    if constexpr (kTileColumns > 1) Tiles::template Zero<1>();
    if constexpr (kTileRows > 1) Tiles::template Zero<2>();
    if constexpr (kTileRows > 1 && kTileColumns > 1) Tiles::template Zero<3>();
  }
  constexpr std::int64_t kRowBytes = 2 * kDepth;
  for (std::int64_t at = 0; at < panel; at += kTileElements) {
    Tiles::template Load<6>(b + at, kRowBytes);
    Tiles::template Load<4>(a + at, kRowBytes);
    Tiles::template Multiply<0, 4, 6>();
    if constexpr (kTileColumns > 1) {
      Tiles::template Load<7>(b + panel + at, kRowBytes);
      Tiles::template Multiply<1, 4, 7>();
    }
    if constexpr (kTileRows > 1) {
      Tiles::template Load<5>(a + panel + at, kRowBytes);
      Tiles::template Multiply<2, 5, 6>();
      if constexpr (kTileColumns > 1) Tiles::template Multiply<3, 5, 7>();
    }
  }
  Tiles::template Store<0>(c, bytes);
  if constexpr (kTileColumns > 1) Tiles::template Store<1>(c + kColumns, bytes);
  if constexpr (kTileRows > 1) Tiles::template Store<2>(second_row, bytes);
  if constexpr (kTileRows > 1 && kTileColumns > 1) Tiles::template Store<3>(second_row + kColumns, bytes);
}

/** A block at the edge of C, by way of memory of its own: tiles are whole, and what lies beyond the edge is not ours.
 */
template <class Tiles, int kTileRows, int kTileColumns>
void MultiplyEdge(int rows, int columns, std::int64_t panel, const std::uint16_t* a, const std::uint16_t* b,
                  bool accumulate, float* c, std::int64_t leading) {
  constexpr int kWidth = kTileColumns * kColumns;
  alignas(64) float block[kTileRows * kRows * kWidth];
  if (accumulate) {
    for (int row = 0; row < kTileRows * kRows; ++row) {
      for (int column = 0; column < kWidth; ++column) {
        block[row * kWidth + column] = row < rows && column < columns ? c[row * leading + column] : 0.0F;
      }
    }
  }
  MultiplyBlock<Tiles, kTileRows, kTileColumns>(panel, a, b, accumulate, block, kWidth);
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) c[row * leading + column] = block[row * kWidth + column];
  }
}

template <class Tiles, int kTileRows, int kTileColumns>
void MultiplyWholeOrEdge(int rows, int columns, std::int64_t panel, const std::uint16_t* a, const std::uint16_t* b,
                         bool accumulate, float* c, std::int64_t leading) {
  if (rows == kTileRows * kRows && columns == kTileColumns * kColumns) {
    MultiplyBlock<Tiles, kTileRows, kTileColumns>(panel, a, b, accumulate, c, leading);
  } else {
    MultiplyEdge<Tiles, kTileRows, kTileColumns>(rows, columns, panel, a, b, accumulate, c, leading);
  }
}

/**
 * c[rows, columns] = A · B, or added to c, from the panels of A and B. Each element is one chain of additions, one for
 * kDepth values of k in ascending order, which begins with its old content, wherever it stands in the block. Configures
 * the tiles of the calling thread and gives them up again, so that no switch between threads has to save them.
 */
template <class Tiles>
void MultiplyPanels(int rows, int columns, int depth, const std::uint16_t* a, const std::uint16_t* b, bool accumulate,
                    float* c, std::int64_t leading) {
  constexpr int kBlockRows = 2 * kRows;
  constexpr int kBlockColumns = 2 * kColumns;
  const std::int64_t panel = PanelElements(depth);
  Tiles::Configure(Configuration{});
  // A pair of B's panels stays in the first-level cache while all of A passes over it.
  for (int column = 0; column < columns; column += kBlockColumns, b += 2 * panel) {
    const int width = columns - column < kBlockColumns ? columns - column : kBlockColumns;
    const std::uint16_t* rows_of_a = a;
    for (int row = 0; row < rows; row += kBlockRows, rows_of_a += 2 * panel) {
      const int height = rows - row < kBlockRows ? rows - row : kBlockRows;
      float* block = c + row * leading + column;
      if (height > kRows && width > kColumns) {
        MultiplyWholeOrEdge<Tiles, 2, 2>(height, width, panel, rows_of_a, b, accumulate, block, leading);
      } else if (height > kRows) {
        MultiplyWholeOrEdge<Tiles, 2, 1>(height, width, panel, rows_of_a, b, accumulate, block, leading);
      } else if (width > kColumns) {
        MultiplyWholeOrEdge<Tiles, 1, 2>(height, width, panel, rows_of_a, b, accumulate, block, leading);
      } else {
        MultiplyWholeOrEdge<Tiles, 1, 1>(height, width, panel, rows_of_a, b, accumulate, block, leading);
      }
    }
  }
  Tiles::Release();
}

}  // namespace native_ddp::tiles
