#include "transformer/tile_gemm.h"

#include <gtest/gtest.h>

#include <functional>

#include "emulated_tiles.h"
#include "tiny_model.h"
#include "transformer/amx_support.h"
#include "transformer/bfloat16.h"

// M rows, N columns and K depth of C[M, N] = A[M, K] · B[K, N].
namespace native_ddp {
namespace {

using Bits = std::vector<std::uint16_t>;
using At = std::function<std::uint16_t(int row, int column)>;

std::size_t Index(std::int64_t row, std::int64_t leading, std::int64_t column) {
  return static_cast<std::size_t>(row * leading + column);
}

/** As VCVTNE2PS2BF16 rounds. */
Bits Rounded(const std::vector<float>& values) {
  Bits bits(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const float value = Flush(values[i]);
    ToBfloat16(1, &value, &bits[i]);
  }
  return bits;
}

/** Element by element as tile_loops.h describes the panels of A. */
Bits PanelsOfA(int m, int k, const At& a) {
  const std::int64_t panel = tiles::PanelElements(k);
  Bits panels(static_cast<std::size_t>((m + 15) / 16 * panel));
  for (int row = 0; row < m; ++row) {
    for (int deep = 0; deep < k; ++deep) {
      panels[static_cast<std::size_t>(row / 16 * panel + deep / 32 * 512 + row % 16 * 32 + deep % 32)] = a(row, deep);
    }
  }
  return panels;
}

/** Element by element as tile_loops.h describes the panels of B. */
Bits PanelsOfB(int n, int k, const At& b) {
  const std::int64_t panel = tiles::PanelElements(k);
  Bits panels(static_cast<std::size_t>((n + 15) / 16 * panel));
  for (int column = 0; column < n; ++column) {
    for (int deep = 0; deep < k; ++deep) {
      panels[static_cast<std::size_t>(column / 16 * panel + deep / 2 * 32 + column % 16 * 2 + deep % 2)] =
          b(deep, column);
    }
  }
  return panels;
}

/** The element that TDPBF16PS gives, 32 values of k at a time. */
float Element(int row, int column, int k, const At& a, const At& b, float sum) {
  for (int first = 0; first < k; first += 32) {
    float even = 0;
    float odd = 0;
    for (int deep = first; deep < std::min(first + 32, k); ++deep) {
      float& half = deep % 2 == 0 ? even : odd;
      half = Flush(std::fma(Flush(WidenBfloat16(a(row, deep))), Flush(WidenBfloat16(b(deep, column))), half));
    }
    sum = Flush(Flush(sum) + Flush(even + odd));
  }
  return sum;
}

At MatrixOf(const Bits& bits, int leading) {
  return [&bits, leading](int row, int column) { return bits[Index(row, leading, column)]; };
}

At TransposeOf(const Bits& bits, int leading) {
  return [&bits, leading](int row, int column) { return bits[Index(column, leading, row)]; };
}

/** c is as wide as `leading`; beyond n columns and m rows it must be as it was. */
void ExpectBits(int m, int n, int k, const At& a, const At& b, bool accumulate, const std::vector<float>& before,
                const std::vector<float>& c, int leading) {
  for (std::size_t i = 0; i < c.size(); ++i) {
    const int row = static_cast<int>(i) / leading;
    const int column = static_cast<int>(i) % leading;
    const float expected =
        row < m && column < n ? Element(row, column, k, a, b, accumulate ? before[i] : 0) : before[i];
    ASSERT_EQ(std::memcmp(&c[i], &expected, sizeof expected), 0)
        << row << "," << column << ": " << c[i] << " instead of " << expected;
  }
}

struct Sizes {
  int m;
  int n;
  int k;
};

constexpr Sizes kRagged[] = {{1, 1, 1},    {16, 16, 32}, {17, 15, 33},  {32, 32, 64},  {31, 33, 31},
                             {33, 17, 95}, {48, 80, 96}, {65, 49, 130}, {100, 71, 64}, {7, 40, 2}};

TEST(TileLoopsTest, EveryBitIsThatOfPlainLoopsAndNothingBesideIsWritten) {
  for (const Sizes& size : kRagged) {
    for (const bool accumulate : {false, true}) {
      const auto [m, n, k] = size;
      SCOPED_TRACE(testing::Message() << m << "x" << n << "x" << k << (accumulate ? " accumulated" : ""));
      const Bits a_bits = Rounded(RandomFloats(Index(m, k, 0), -1, 1, 1));
      const Bits b_bits = Rounded(RandomFloats(Index(k, n, 0), -1, 1, 2));
      const At a = MatrixOf(a_bits, k);
      const At b = MatrixOf(b_bits, n);
      const int leading = n + 3;
      const std::vector<float> before = RandomFloats(Index(m + 2, leading, 0), -1, 1, 3);
      std::vector<float> c = before;
      tiles::MultiplyPanels<EmulatedTiles>(m, n, k, PanelsOfA(m, k, a).data(), PanelsOfB(n, k, b).data(), accumulate,
                                           c.data(), leading);
      ExpectBits(m, n, k, a, b, accumulate, before, c, leading);
      EXPECT_FALSE(EmulatedTiles::IsConfigured());
    }
  }
}

TEST(TileLoopsTest, DenormalsAreZeroAndNanIsNotHidden) {
  const Bits ones(32, 0x3f80);
  Bits a(16 * 32);
  const auto product = [&] {
    float c = std::numeric_limits<float>::quiet_NaN();
    tiles::MultiplyPanels<EmulatedTiles>(
        1, 1, 32, a.data(), PanelsOfB(1, 32, [&](int k, int) { return ones[static_cast<std::size_t>(k)]; }).data(),
        false, &c, 1);
    return c;
  };
  a[3] = 0x0001;
  EXPECT_EQ(product(), 0.0F) << "neither the denormal nor what was there before";
  a[3] = 0x4040;
  EXPECT_EQ(product(), 3.0F);
  a[4] = 0x7fc0;
  EXPECT_TRUE(std::isnan(product()));
}

class TileGemmTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!ThisHost().CanPack()) GTEST_SKIP() << "this CPU lacks AVX512-BF16";
  }
};

/** Aligned, and no larger than the panels need. */
class Panels {
 public:
  explicit Panels(std::size_t elements) : count_(elements), data_(buffer_.Ensure(elements)) {
    std::fill_n(data_, count_, 0xffff);
  }
  std::uint16_t* data() { return data_; }
  Bits bits() const { return {data_, data_ + count_}; }

 private:
  std::size_t count_;
  Buffer<std::uint16_t> buffer_;
  std::uint16_t* data_;
};

TEST_F(TileGemmTest, PackedPanelsAreThoseOfPlainLoops) {
  for (const Sizes& size : kRagged) {
    const auto [m, n, k] = size;
    SCOPED_TRACE(testing::Message() << m << "x" << n << "x" << k);
    const std::vector<float> x = RandomFloats(Index(16, k + 1, 0), -1, 1, 1);
    const int rows = std::min(m, 16);
    const Bits x_bits = Rounded(x);
    Panels a(static_cast<std::size_t>(tiles::PanelElements(k)));
    tiles::PackRows(rows, k, x.data(), k + 1, a.data());
    EXPECT_EQ(a.bits(), PanelsOfA(rows, k, MatrixOf(x_bits, k + 1)));

    const Bits w_bits = Rounded(RandomFloats(Index(n, k + 1, 0) + Index(k, n + 1, 0), -1, 1, 2));
    const auto elements = static_cast<std::size_t>((n + 15) / 16 * tiles::PanelElements(k));
    Panels b(elements);
    tiles::PackTransposed(n, k, w_bits.data(), k + 1, b.data());
    EXPECT_EQ(b.bits(), PanelsOfB(n, k, TransposeOf(w_bits, k + 1)));
    tiles::PackStraight(n, k, w_bits.data(), n + 1, b.data());
    EXPECT_EQ(b.bits(), PanelsOfB(n, k, MatrixOf(w_bits, n + 1)));
  }
}

TEST_F(TileGemmTest, PackingRoundsAsTheManualSays) {
  const std::vector<float> x{1.0F + 1.0F / 256, 1.0F + 3.0F / 256, 1e-39F, 3.4e38F,
                             std::numeric_limits<float>::quiet_NaN()};
  Panels panel(512);
  tiles::PackRows(1, 5, x.data(), 5, panel.data());
  const Bits bits = panel.bits();
  EXPECT_EQ(bits[0], 0x3f80);  // ties to even
  EXPECT_EQ(bits[1], 0x3f82);
  EXPECT_EQ(bits[2], 0);
  EXPECT_EQ(bits[3], 0x7f80);
  EXPECT_TRUE(std::isnan(WidenBfloat16(bits[4])));
}

/** Both directions of a weight [outputs, inputs]; leading dimensions are wider than the matrices. */
void CheckProducts(int rows, int outputs, int inputs, Output output, int threads) {
  SCOPED_TRACE(testing::Message() << rows << "x" << outputs << "x" << inputs << " threads " << threads);
  const int ldw = inputs + 3;
  const int ldx = inputs + 1;
  const int ldy = outputs + 2;
  const Bits weight = Rounded(RandomFloats(Index(outputs, ldw, 0), -1, 1, 1));
  const WeightMatrix matrix{weight.data(), ElementType::kBfloat16, outputs, inputs, ldw};
  const std::vector<float> x = RandomFloats(Index(rows, ldx, 0), -1, 1, 2);
  const std::vector<float> y = RandomFloats(Index(rows, ldy, 0), -1, 1, 3);
  const Bits x_bits = Rounded(x);
  const Bits y_bits = Rounded(y);
  ThreadPool pool(threads);
  std::atomic<std::uint64_t> progress{0};
  EmulatedGemm gemm(pool, progress);
  const bool accumulate = output == Output::kAccumulate;

  std::vector<float> forward = y;
  gemm.Forward(rows, {x.data(), ldx}, matrix, {forward.data(), ldy}, output);
  EXPECT_GT(progress, 0U);
  ExpectBits(rows, outputs, inputs, MatrixOf(x_bits, ldx), TransposeOf(weight, ldw), accumulate, y, forward, ldy);

  std::vector<float> backward = x;
  gemm.Backward(rows, {y.data(), ldy}, matrix, {backward.data(), ldx}, output);
  ExpectBits(rows, inputs, outputs, MatrixOf(y_bits, ldy), MatrixOf(weight, ldw), accumulate, x, backward, ldx);
}

TEST_F(TileGemmTest, EveryBitIsThatOfPlainLoopsForAnyNumberOfThreads) {
  for (const Sizes& size : kRagged) {
    for (const Output output : {Output::kOverwrite, Output::kAccumulate}) {
      for (const int threads : {1, 3}) CheckProducts(size.m, size.n, size.k, output, threads);
    }
  }
}

TEST_F(TileGemmTest, SeveralBlocksOfEveryDimension) {
  // More than one block of k and more than one strip of columns in either direction; more than one block of rows.
  CheckProducts(19, 530, 1100, Output::kAccumulate, 2);
  CheckProducts(530, 40, 50, Output::kOverwrite, 2);
}

TEST_F(TileGemmTest, Fp32WeightsAreNotRounded) {
  const float weight = 1.0F + 1.0F / 4096;
  const float x = 1.0F + 1.0F / 2048;
  const WeightMatrix matrix{&weight, ElementType::kFloat32, 1, 1, 1};
  ThreadPool pool(1);
  std::atomic<std::uint64_t> progress{0};
  EmulatedGemm gemm(pool, progress);
  float forward = 0;
  float backward = 0;
  gemm.Forward(1, {&x, 1}, matrix, {&forward, 1}, Output::kOverwrite);
  gemm.Backward(1, {&x, 1}, matrix, {&backward, 1}, Output::kOverwrite);
  EXPECT_EQ(forward, weight * x);
  EXPECT_EQ(backward, weight * x);
}

}  // namespace
}  // namespace native_ddp
