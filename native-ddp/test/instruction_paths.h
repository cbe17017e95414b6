#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "fake_amx_host.h"
#include "transformer/instruction_set.h"

namespace native_ddp {

/** Instructions on the machine that has them, or on one that emulates them. */
struct InstructionPath {
  const char* name;
  InstructionSet instructions;
  AmxHost& (*host)();

  std::string refusal() const { return Refusal(instructions, host()); }

  std::unique_ptr<Gemm> MakeGemm(ThreadPool& pool, std::atomic<std::uint64_t>& progress) const {
    return native_ddp::MakeGemm(instructions, pool, progress, host());
  }
};

/** Needs what packs for tiles, and no tiles. */
inline AmxHost& EmulatingHost() {
  static FakeAmxHost host;
  host.can_pack = ThisHost().CanPack();
  return host;
}

/** What tests of numbers run on; those that this machine refuses are skipped. */
constexpr InstructionPath kPaths[] = {
    {"generic", InstructionSet::kGeneric, ThisHost}, {"avx2", InstructionSet::kAvx2, ThisHost},
    {"avx512", InstructionSet::kAvx512, ThisHost},   {"avx512bf16", InstructionSet::kAvx512Bf16, ThisHost},
    {"amx", InstructionSet::kAmx, ThisHost},         {"emulated_amx", InstructionSet::kAmx, EmulatingHost}};

/** Whether activations are rounded before they meet BF16 weights. */
inline bool RoundsActivations(const InstructionPath& path) {
  return path.instructions == InstructionSet::kAvx512Bf16 || path.instructions == InstructionSet::kAmx;
}

/** The name of what multiplies where AMX is refused and nothing else is asked for: it is measured. */
inline std::string BestWithoutAmx(ElementType weights = ElementType::kBfloat16) {
  static FakeAmxHost without;
  without.features = 0;
  ThreadPool pool(1);
  std::atomic<std::uint64_t> progress{0};
  return MakeGemm(InstructionSet::kAuto, pool, progress, without)->name(weights);
}

inline std::string PathName(const testing::TestParamInfo<InstructionPath>& info) { return info.param.name; }

/** A test of numbers on each of kPaths. */
class PathTest : public testing::TestWithParam<InstructionPath> {
 protected:
  void SetUp() override {
    if (const std::string refusal = GetParam().refusal(); !refusal.empty()) GTEST_SKIP() << refusal;
  }
};

}  // namespace native_ddp
