#pragma once

#include <string>

#include "dot_product_loop.h"
#include "fma_loop.h"
#include "tile_loop.h"

namespace native_ddp {

/** What a core can do at best: a loop of nothing but the instruction that multiplies. */
struct Peak {
  const char* name;
  std::int64_t rounds;  // 40 ms or more, beside which the wake-up of threads is nothing
  void (*loop)(std::int64_t rounds);
  double (*operations)(std::int64_t rounds);
};

/** Of the instruction that products of this name use. */
inline Peak PeakOf(const std::string& products) {
  if (products == "amx") return {"tile_peak", 4'000'000, TileLoop, TileLoopOperations};
  if (products == "avx512bf16") return {"dot_product_peak", 20'000'000, DotProductLoop, DotProductLoopOperations};
  if (products == "avx512") return {"wide_fma_peak", 30'000'000, WideFmaLoop, WideFmaLoopOperations};
  return {"fma_peak", 30'000'000, FmaLoop, FmaLoopOperations};
}

}  // namespace native_ddp
