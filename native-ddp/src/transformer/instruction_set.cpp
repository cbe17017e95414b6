#include "transformer/instruction_set.h"

#include <cstdio>
#include <stdexcept>

#include "message.h"
#include "transformer/avx2_gemm.h"
#include "transformer/avx512_bf16_gemm.h"
#include "transformer/converting_gemm.h"

namespace native_ddp {
namespace {

struct Name {
  InstructionSet instructions;
  const char* text;
};

constexpr Name kNames[] = {{InstructionSet::kAuto, "auto"},
                           {InstructionSet::kGeneric, "generic"},
                           {InstructionSet::kAvx2, "avx2"},
                           {InstructionSet::kAvx512Bf16, "avx512bf16"},
                           {InstructionSet::kAmx, "amx"}};

/** And AVX2, in which FP32 weights are multiplied. */
bool HasAvx512Bf16() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("avx2") &&
         __builtin_cpu_supports("fma");
}

}  // namespace

InstructionSet InstructionSetNamed(const std::string& name) {
  for (const Name& known : kNames) {
    if (name == known.text) return known.instructions;
  }
  throw std::invalid_argument(
      Message("Invalid instruction set: ", name, " (one of auto, generic, avx2, avx512bf16, amx)"));
}

std::string NameOf(InstructionSet instructions) {
  for (const Name& name : kNames) {
    if (name.instructions == instructions) return name.text;
  }
  throw std::invalid_argument("Invalid instruction set: not one of the enumeration");
}

InstructionSet RequestInstructions(InstructionSet instructions, AmxHost& host) {
  if (instructions == InstructionSet::kAuto || instructions == InstructionSet::kAmx) RequestAmx(host);
  return instructions;
}

std::string Refusal(InstructionSet instructions, AmxHost& host) {
  switch (instructions) {
    case InstructionSet::kAvx2:
      // The compiler's own detection asks XGETBV too.
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? "" : "this CPU lacks AVX2 or FMA";
    case InstructionSet::kAvx512Bf16:
      return HasAvx512Bf16() ? "" : "this CPU lacks AVX512-BF16";
    case InstructionSet::kAmx: {
      ThreadPool here(1);
      std::atomic<std::uint64_t> progress{0};
      std::string refusal;
      MakeAmxGemm(host, here, progress, refusal);
      return refusal;
    }
    default:
      return "";
  }
}

bool IsSupported(InstructionSet instructions) { return Refusal(instructions).empty(); }

std::unique_ptr<Gemm> MakeGemm(InstructionSet instructions, ThreadPool& pool, std::atomic<std::uint64_t>& progress,
                               AmxHost& host) {
  if (instructions == InstructionSet::kAuto || instructions == InstructionSet::kAmx) {
    std::string refusal;
    std::unique_ptr<Gemm> gemm = MakeAmxGemm(host, pool, progress, refusal);
    if (gemm != nullptr) return gemm;
    if (instructions == InstructionSet::kAmx) throw std::runtime_error("Cannot multiply with amx: " + refusal);
    if (ClaimsAmx(host)) std::fprintf(stderr, "Products do without AMX: %s\n", refusal.c_str());
  }
  if (instructions == InstructionSet::kAuto) {
    instructions = InstructionSet::kGeneric;
    for (const InstructionSet better : {InstructionSet::kAvx2, InstructionSet::kAvx512Bf16}) {
      if (IsSupported(better)) instructions = better;
    }
  }
  if (const std::string refusal = Refusal(instructions); !refusal.empty()) {
    throw std::runtime_error(Message("Cannot multiply with ", NameOf(instructions), ": ", refusal));
  }
  if (instructions == InstructionSet::kAvx512Bf16) return std::make_unique<Avx512Bf16Gemm>(pool, progress);
  if (instructions == InstructionSet::kAvx2) return std::make_unique<Avx2Gemm>(pool, progress);
  return std::make_unique<ConvertingGemm>(pool, progress);
}

}  // namespace native_ddp
