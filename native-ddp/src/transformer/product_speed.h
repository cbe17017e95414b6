#pragma once

#include <memory>
#include <vector>

#include "transformer/gemm.h"

namespace native_ddp {

/**
 * Seconds that each of them takes for the same product of BF16 weights, which stays in the caches: the least of several
 * rounds in which all take turns, some milliseconds in all. Progress counters advance.
 */
std::vector<double> ProductSeconds(const std::vector<std::unique_ptr<Gemm>>& gemms);

}  // namespace native_ddp
