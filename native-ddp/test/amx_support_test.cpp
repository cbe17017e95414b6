#include "transformer/amx_support.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <set>
#include <stdexcept>
#include <thread>

#include "emulated_tiles.h"
#include "fake_amx_host.h"
#include "instruction_paths.h"
#include "transformer/instruction_set.h"

namespace native_ddp {
namespace {

/** Tiles of which one instruction does something else than it should. */
struct FaultyTiles : EmulatedTiles {
  /** The second row of tiles of C comes out of the wrong tile of A. */
  template <int kC, int kA, int kB>
  static void Multiply() {
    EmulatedTiles::Multiply<kC, kA == 5 ? 4 : kA, kB>();
  }
};

struct FaultyKernels {
  static constexpr const char* kName = "faulty tiles";
  static constexpr auto MultiplyPanels = tiles::MultiplyPanels<FaultyTiles>;
};

class AmxSupportTest : public testing::Test {
 protected:
  /** Refused for this reason: by name with an error, by auto with a line in the log and products that work. */
  void ExpectRefusal(const std::string& reason) {
    EXPECT_EQ(Refusal(InstructionSet::kAmx, host), reason);
    try {
      MakeGemm(InstructionSet::kAmx, pool, progress, host);
      ADD_FAILURE() << "not refused: " << reason;
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), "Cannot multiply with amx: " + reason);
    }
    testing::internal::CaptureStderr();
    const std::string chosen = MakeGemm(InstructionSet::kAuto, pool, progress, host)->name(ElementType::kBfloat16);
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_EQ(chosen, BestWithoutAmx());
    EXPECT_EQ(log, ClaimsAmx(host) ? "Products do without AMX: " + reason + "\n" : "");
  }

  FakeAmxHost host;
  ThreadPool pool{3};
  std::atomic<std::uint64_t> progress{0};
};

TEST_F(AmxSupportTest, ACpuWithoutAmxIsNoNews) {
  for (const std::uint32_t features : {0U, FakeAmxHost::kAmxBf16, FakeAmxHost::kAmxTile}) {
    host.features = features;
    ExpectRefusal("this CPU lacks AMX-TILE or AMX-BF16");
  }
  EXPECT_TRUE(host.calls.empty()) << "nothing to ask the kernel for";
}

TEST_F(AmxSupportTest, ACpuThatCannotPackIsRefused) {
  host.can_pack = false;
  ExpectRefusal("this CPU lacks AVX512-BF16");
}

TEST_F(AmxSupportTest, AKernelThatDoesNotKnowTilesIsRefused) {
  host.states_error = EINVAL;
  ExpectRefusal("the kernel does not tell whether it saves tiles: arch_prctl(ARCH_GET_XCOMP_SUPP): Invalid argument");
}

TEST_F(AmxSupportTest, AKernelThatDoesNotSaveTilesIsRefused) {
  host.states = 0xe7;
  ExpectRefusal("the kernel does not save tiles: arch_prctl(ARCH_GET_XCOMP_SUPP) gives states 0xe7");
  EXPECT_EQ(std::set<std::string>(host.calls.begin(), host.calls.end()), std::set<std::string>{"states"});
}

TEST_F(AmxSupportTest, AKernelThatDoesNotPermitTilesIsRefused) {
  host.permission_error = EOPNOTSUPP;
  ExpectRefusal("the kernel does not permit tiles: arch_prctl(ARCH_REQ_XCOMP_PERM): Operation not supported");
  host.permission_error = EINVAL;
  ExpectRefusal("the kernel does not permit tiles: arch_prctl(ARCH_REQ_XCOMP_PERM): Invalid argument");
  EXPECT_TRUE(host.threads.empty()) << "no tile is touched without permission";
}

TEST_F(AmxSupportTest, PermissionIsAskedForWithoutAnyThreadTakingPart) {
  EXPECT_EQ(RequestInstructions(InstructionSet::kGeneric, host), InstructionSet::kGeneric);
  EXPECT_EQ(RequestInstructions(InstructionSet::kAvx2, host), InstructionSet::kAvx2);
  EXPECT_TRUE(host.calls.empty());
  EXPECT_EQ(RequestInstructions(InstructionSet::kAuto, host), InstructionSet::kAuto);
  EXPECT_EQ(host.calls, (std::vector<std::string>{"states", "permission"}));
  EXPECT_TRUE(host.threads.empty());
}

class AmxKnownAnswerTest : public AmxSupportTest {
 protected:
  void SetUp() override {
    if (!ThisHost().CanPack()) GTEST_SKIP() << "this CPU lacks AVX512-BF16";
  }
};

TEST_F(AmxKnownAnswerTest, AutoTakesAmxFirstAfterAKnownAnswerOnEveryThread) {
  for (const InstructionSet instructions : {InstructionSet::kAuto, InstructionSet::kAmx}) {
    host.threads.clear();
    testing::internal::CaptureStderr();
    EXPECT_EQ(MakeGemm(instructions, pool, progress, host)->name(ElementType::kBfloat16), "emulated tiles");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(host.threads.size(), 3U);
  }
  EXPECT_EQ(Refusal(InstructionSet::kAmx, host), "");
  EXPECT_EQ(MakeGemm(InstructionSet::kGeneric, pool, progress, host)->name(ElementType::kBfloat16), "sgemm");
}

TEST_F(AmxKnownAnswerTest, AWrongAnswerIsRefused) {
  host.make = [](ThreadPool& threads, std::atomic<std::uint64_t>& counter) {
    return std::make_unique<TileGemm<FaultyKernels>>(threads, counter);
  };
  ExpectRefusal("a product with a known answer came out wrong on thread 0");
}

TEST_F(AmxKnownAnswerTest, AWrongAnswerOnOneThreadIsRefused) {
  const std::thread::id caller = std::this_thread::get_id();
  host.make = [caller](ThreadPool& threads, std::atomic<std::uint64_t>& counter) -> std::unique_ptr<Gemm> {
    if (std::this_thread::get_id() == caller) return std::make_unique<EmulatedGemm>(threads, counter);
    return std::make_unique<TileGemm<FaultyKernels>>(threads, counter);
  };
  EXPECT_EQ(Refusal(InstructionSet::kAmx, host), "") << "which asks the caller's thread alone";
  std::string refusal;
  EXPECT_EQ(MakeAmxGemm(host, pool, progress, refusal), nullptr);
  EXPECT_EQ(refusal, "a product with a known answer came out wrong on thread 1");
}

TEST(ThisHostTest, AmxIsReadyOrTheReasonIsKnown) {
  const std::string refusal = RequestAmx(ThisHost());
  if (!refusal.empty()) GTEST_SKIP() << refusal;
  EXPECT_TRUE(ClaimsAmx(ThisHost()));
  EXPECT_EQ(Refusal(InstructionSet::kAmx), "");
}

}  // namespace
}  // namespace native_ddp
