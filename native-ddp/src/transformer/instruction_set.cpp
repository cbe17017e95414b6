#include "transformer/instruction_set.h"

#include <cstddef>
#include <cstdio>
#include <stdexcept>
#include <utility>
#include <vector>

#include "message.h"
#include "transformer/avx512_bf16_gemm.h"
#include "transformer/converting_gemm.h"
#include "transformer/few_rows_gemm.h"
#include "transformer/panel_gemm.h"
#include "transformer/product_speed.h"

namespace native_ddp {
namespace {

struct Name {
  InstructionSet instructions;
  const char* text;
};

constexpr Name kNames[] = {
    {InstructionSet::kAuto, "auto"},     {InstructionSet::kGeneric, "generic"},       {InstructionSet::kAvx2, "avx2"},
    {InstructionSet::kAvx512, "avx512"}, {InstructionSet::kAvx512Bf16, "avx512bf16"}, {InstructionSet::kAmx, "amx"}};

// The compiler's own detection asks XGETBV too.
bool HasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

bool HasAvx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}

/** And AVX2, in which FP32 weights are multiplied. */
bool HasAvx512Bf16() { return HasAvx512() && __builtin_cpu_supports("avx512bf16") && HasAvx2(); }

std::unique_ptr<Gemm> WithFewRows(const GemvKernels& kernels, std::unique_ptr<Gemm> gemm, ThreadPool& pool,
                                  std::atomic<std::uint64_t>& progress) {
  return std::make_unique<FewRowsGemm>(kernels, std::move(gemm), pool, progress);
}

/** Without kernels for few rows. */
std::unique_ptr<Gemm> MakeProducts(InstructionSet instructions, ThreadPool& pool,
                                   std::atomic<std::uint64_t>& progress) {
  if (instructions == InstructionSet::kAvx512Bf16) return std::make_unique<Avx512Bf16Gemm>(pool, progress);
  if (instructions == InstructionSet::kAvx512) return std::make_unique<Avx512Gemm>(pool, progress);
  if (instructions == InstructionSet::kAvx2) return std::make_unique<Avx2Gemm>(pool, progress);
  return std::make_unique<ConvertingGemm>(pool, progress);
}

/**
 * No flag says how many units of a CPU take registers of 512 bits, nor that dot products of BF16 are half as fast as
 * other instructions on one and twice as fast on another.
 */
InstructionSet MeasureFastest() {
  // The wider ones must be better by more than what measurements differ by, so that it is the same each time.
  constexpr double kClearly = 0.9;
  ThreadPool pool(1);
  std::atomic<std::uint64_t> progress{0};
  std::vector<InstructionSet> known;
  std::vector<std::unique_ptr<Gemm>> gemms;
  for (const InstructionSet set : {InstructionSet::kAvx2, InstructionSet::kAvx512, InstructionSet::kAvx512Bf16}) {
    if (!IsSupported(set)) continue;
    known.push_back(set);
    gemms.push_back(MakeProducts(set, pool, progress));
  }
  if (known.empty()) return InstructionSet::kGeneric;
  if (known.size() == 1) return known[0];
  const std::vector<double> seconds = ProductSeconds(gemms);
  std::size_t best = 0;
  for (std::size_t i = 1; i < known.size(); ++i) {
    if (seconds[i] < kClearly * seconds[best]) best = i;
  }
  return known[best];
}

InstructionSet Fastest() {
  static const InstructionSet fastest = MeasureFastest();
  return fastest;
}

}  // namespace

InstructionSet InstructionSetNamed(const std::string& name) {
  for (const Name& known : kNames) {
    if (name == known.text) return known.instructions;
  }
  throw std::invalid_argument(
      Message("Invalid instruction set: ", name, " (one of auto, generic, avx2, avx512, avx512bf16, amx)"));
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
      return HasAvx2() ? "" : "this CPU lacks AVX2 or FMA";
    case InstructionSet::kAvx512:
      return HasAvx512() ? "" : "this CPU lacks AVX-512 F, BW or VL";
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
    if (gemm != nullptr) return WithFewRows(kAvx512GemvKernels, std::move(gemm), pool, progress);
    if (instructions == InstructionSet::kAmx) throw std::runtime_error("Cannot multiply with amx: " + refusal);
    if (ClaimsAmx(host)) std::fprintf(stderr, "Products do without AMX: %s\n", refusal.c_str());
  }
  if (instructions == InstructionSet::kAuto) instructions = Fastest();
  if (const std::string refusal = Refusal(instructions); !refusal.empty()) {
    throw std::runtime_error(Message("Cannot multiply with ", NameOf(instructions), ": ", refusal));
  }
  std::unique_ptr<Gemm> gemm = MakeProducts(instructions, pool, progress);
  if (instructions == InstructionSet::kGeneric) return gemm;
  const bool wide = instructions != InstructionSet::kAvx2;
  return WithFewRows(wide ? kAvx512GemvKernels : kAvx2GemvKernels, std::move(gemm), pool, progress);
}

}  // namespace native_ddp
