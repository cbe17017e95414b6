#include "transformer/amx_support.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include "emulated_tiles.h"
#include "transformer/instruction_set.h"

namespace native_ddp {
namespace {

constexpr std::uint32_t kAmxBf16 = 1U << 22;
constexpr std::uint32_t kAmxTile = 1U << 24;
constexpr int kGetSupportedStates = 0x1021;
constexpr int kRequestPermission = 0x1023;

/** On emulated tiles; grants everything until told otherwise. */
class FakeHost final : public AmxHost {
 public:
  std::uint32_t ClaimedFeatures() override { return features; }
  bool CanPack() override { return can_pack; }

  int ArchPrctl(int code, std::uint64_t argument) override {
    if (code == kGetSupportedStates) {
      calls.push_back("states");
      if (states_error == 0) *reinterpret_cast<std::uint64_t*>(static_cast<std::uintptr_t>(argument)) = states;
      return states_error;
    }
    EXPECT_EQ(code, kRequestPermission);
    EXPECT_EQ(argument, 18U);
    calls.push_back("permission");
    return permission_error;
  }

  std::unique_ptr<Gemm> MakeGemm(ThreadPool& pool, std::atomic<std::uint64_t>& progress) override {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      threads.insert(std::this_thread::get_id());
    }
    return make(pool, progress);
  }

  std::uint32_t features = kAmxBf16 | kAmxTile;
  bool can_pack = true;
  int states_error = 0;
  std::uint64_t states = std::uint64_t{1} << 18 | 0xe7;
  int permission_error = 0;
  std::function<std::unique_ptr<Gemm>(ThreadPool&, std::atomic<std::uint64_t>&)> make =
      [](ThreadPool& pool, std::atomic<std::uint64_t>& progress) {
        return std::make_unique<EmulatedGemm>(pool, progress);
      };
  std::vector<std::string> calls;
  std::set<std::thread::id> threads;  // that have made a product

 private:
  std::mutex mutex_;
};

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
    const std::string chosen = MakeGemm(InstructionSet::kAuto, pool, progress, host)->name();
    const std::string log = testing::internal::GetCapturedStderr();
    EXPECT_EQ(chosen, IsSupported(InstructionSet::kAvx2) ? "avx2" : "sgemm");
    EXPECT_EQ(log, ClaimsAmx(host) ? "Products do without AMX: " + reason + "\n" : "");
  }

  FakeHost host;
  ThreadPool pool{3};
  std::atomic<std::uint64_t> progress{0};
};

TEST_F(AmxSupportTest, ACpuWithoutAmxIsNoNews) {
  for (const std::uint32_t features : {0U, kAmxBf16, kAmxTile}) {
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
    EXPECT_EQ(MakeGemm(instructions, pool, progress, host)->name(), "emulated tiles");
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    EXPECT_EQ(host.threads.size(), 3U);
  }
  EXPECT_EQ(Refusal(InstructionSet::kAmx, host), "");
  EXPECT_EQ(MakeGemm(InstructionSet::kGeneric, pool, progress, host)->name(), "sgemm");
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
