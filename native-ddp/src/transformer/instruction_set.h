#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "threads/thread_pool.h"
#include "transformer/gemm.h"

namespace native_ddp {

/** What matrix products may use of a CPU. */
enum class InstructionSet {
  kAuto,     // the best that this CPU has
  kGeneric,  // what libtorch's BLAS chooses
  kAvx2,     // AVX2 and FMA
};

/** By its name in configurations: auto, generic, avx2. Throws std::invalid_argument for others. */
InstructionSet InstructionSetNamed(const std::string& name);

/** Whether this CPU has the instructions and its operating system saves their registers. */
bool IsSupported(InstructionSet instructions);

/** Products by these instructions. Throws std::runtime_error if this CPU lacks them: nothing else is taken instead. */
std::unique_ptr<Gemm> MakeGemm(InstructionSet instructions, ThreadPool& pool, std::atomic<std::uint64_t>& progress);

}  // namespace native_ddp
