#include "transformer/instruction_set.h"

#include <stdexcept>

#include "message.h"
#include "transformer/avx2_gemm.h"
#include "transformer/converting_gemm.h"

namespace native_ddp {

InstructionSet InstructionSetNamed(const std::string& name) {
  if (name == "auto") return InstructionSet::kAuto;
  if (name == "generic") return InstructionSet::kGeneric;
  if (name == "avx2") return InstructionSet::kAvx2;
  throw std::invalid_argument(Message("Invalid instruction set: ", name, " (one of auto, generic, avx2)"));
}

bool IsSupported(InstructionSet instructions) {
  // The compiler's own detection asks XGETBV too.
  return instructions != InstructionSet::kAvx2 || (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
}

std::unique_ptr<Gemm> MakeGemm(InstructionSet instructions, ThreadPool& pool, std::atomic<std::uint64_t>& progress) {
  if (instructions == InstructionSet::kAuto) {
    instructions = IsSupported(InstructionSet::kAvx2) ? InstructionSet::kAvx2 : InstructionSet::kGeneric;
  }
  if (!IsSupported(instructions)) throw std::runtime_error("Cannot multiply with avx2: this CPU lacks AVX2 or FMA");
  if (instructions == InstructionSet::kAvx2) return std::make_unique<Avx2Gemm>(pool, progress);
  return std::make_unique<ConvertingGemm>(pool, progress);
}

}  // namespace native_ddp
