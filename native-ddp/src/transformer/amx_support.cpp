#include "transformer/amx_support.h"

#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "message.h"
#include "transformer/amx_gemm.h"
#include "transformer/bfloat16.h"

namespace native_ddp {
namespace {

// Of CPUID leaf 7, EDX.
constexpr std::uint32_t kAmxBf16 = 1U << 22;
constexpr std::uint32_t kAmxTile = 1U << 24;

// Of asm/prctl.h, which older systems have without them.
constexpr int kGetSupportedStates = 0x1021;   // ARCH_GET_XCOMP_SUPP
constexpr int kRequestPermission = 0x1023;    // ARCH_REQ_XCOMP_PERM
constexpr std::uint64_t kTileDataState = 18;  // the component of the extended state that holds the tiles

class RealHost final : public AmxHost {
 public:
  std::uint32_t ClaimedFeatures() override {
    unsigned int eax = 0;
    unsigned int ebx = 0;
    unsigned int ecx = 0;
    unsigned int edx = 0;
    return __get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 ? edx : 0;
  }

  bool CanPack() override {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bf16");
  }

  int ArchPrctl(int code, std::uint64_t argument) override {
    return syscall(SYS_arch_prctl, code, argument) == 0 ? 0 : errno;
  }

  std::unique_ptr<Gemm> MakeGemm(ThreadPool& pool, std::atomic<std::uint64_t>& progress) override {
    return std::make_unique<AmxGemm>(pool, progress);
  }
};

/** Small integers, exact in BF16 and in every sum, without a pattern that a mix-up of rows or columns would keep. */
int KnownValue(int row, int column) { return (row * 7 + column * 5 + row * column) % 9 - 4; }

/** Products of integers, in all shapes of blocks and with an odd rest in every dimension. */
class KnownAnswer {
 public:
  KnownAnswer() : x_(kRows * kInputs), dy_(kRows * kOutputs), weight_(kOutputs * kInputs) {
    Fill(kInputs, 1, x_);
    Fill(kOutputs, 2, dy_);
    std::vector<float> weight(weight_.size());
    Fill(kInputs, 3, weight);
    ToBfloat16(static_cast<std::int64_t>(weight.size()), weight.data(), weight_.data());
  }

  /** By both directions, overwriting first and accumulating then. */
  bool IsGivenBy(Gemm& gemm) const {
    const WeightMatrix weight{weight_.data(), ElementType::kBfloat16, kOutputs, kInputs, kInputs};
    std::vector<float> y(dy_.size());
    std::vector<float> dx(x_.size());
    for (int times = 1; times <= 2; ++times) {
      const Output output = times == 1 ? Output::kOverwrite : Output::kAccumulate;
      gemm.Forward(kRows, {x_.data(), kInputs}, weight, {y.data(), kOutputs}, output);
      gemm.Backward(kRows, {dy_.data(), kOutputs}, weight, {dx.data(), kInputs}, output);
      if (!Equals(times, y, dx)) return false;
    }
    return true;
  }

 private:
  static constexpr int kRows = 41;
  static constexpr int kOutputs = 43;
  static constexpr int kInputs = 77;

  static void Fill(int columns, int seed, std::vector<float>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      const int at = static_cast<int>(i);
      values[i] = static_cast<float>(KnownValue(at / columns + seed, at % columns));
    }
  }

  static bool Equals(int times, const std::vector<float>& y, const std::vector<float>& dx) {
    for (int row = 0; row < kRows; ++row) {
      for (int o = 0; o < kOutputs; ++o) {
        int sum = 0;
        for (int i = 0; i < kInputs; ++i) sum += KnownValue(row + 1, i) * KnownValue(o + 3, i);
        if (y[static_cast<std::size_t>(row * kOutputs + o)] != static_cast<float>(times * sum)) return false;
      }
      for (int i = 0; i < kInputs; ++i) {
        int sum = 0;
        for (int o = 0; o < kOutputs; ++o) sum += KnownValue(row + 2, o) * KnownValue(o + 3, i);
        if (dx[static_cast<std::size_t>(row * kInputs + i)] != static_cast<float>(times * sum)) return false;
      }
    }
    return true;
  }

  std::vector<float> x_;
  std::vector<float> dy_;
  std::vector<std::uint16_t> weight_;
};

std::string CheckEveryThread(AmxHost& host, ThreadPool& pool) {
  const KnownAnswer answer;
  std::vector<char> wrong(static_cast<std::size_t>(pool.threads()));
  pool.ForEach(pool.threads(), 1, [&](std::int64_t, std::int64_t, int thread) {
    ThreadPool here(1);
    std::atomic<std::uint64_t> progress{0};
    wrong[static_cast<std::size_t>(thread)] = answer.IsGivenBy(*host.MakeGemm(here, progress)) ? 0 : 1;
  });
  for (std::size_t thread = 0; thread < wrong.size(); ++thread) {
    if (wrong[thread] != 0) return Message("a product with a known answer came out wrong on thread ", thread);
  }
  return "";
}

}  // namespace

AmxHost& ThisHost() {
  static RealHost host;
  return host;
}

bool ClaimsAmx(AmxHost& host) {
  constexpr std::uint32_t kBoth = kAmxBf16 | kAmxTile;
  return (host.ClaimedFeatures() & kBoth) == kBoth;
}

std::string RequestAmx(AmxHost& host) {
  if (!ClaimsAmx(host)) return "this CPU lacks AMX-TILE or AMX-BF16";
  if (!host.CanPack()) return "this CPU lacks AVX512-BF16";
  std::uint64_t states = 0;
  if (const int error = host.ArchPrctl(kGetSupportedStates, reinterpret_cast<std::uintptr_t>(&states)); error != 0) {
    return Message("the kernel does not tell whether it saves tiles: arch_prctl(ARCH_GET_XCOMP_SUPP): ",
                   std::strerror(error));
  }
  if ((states >> kTileDataState & 1) == 0) {
    return Message("the kernel does not save tiles: arch_prctl(ARCH_GET_XCOMP_SUPP) gives states 0x", std::hex, states);
  }
  if (const int error = host.ArchPrctl(kRequestPermission, kTileDataState); error != 0) {
    return Message("the kernel does not permit tiles: arch_prctl(ARCH_REQ_XCOMP_PERM): ", std::strerror(error));
  }
  return "";
}

std::unique_ptr<Gemm> MakeAmxGemm(AmxHost& host, ThreadPool& pool, std::atomic<std::uint64_t>& progress,
                                  std::string& refusal) {
  refusal = RequestAmx(host);
  if (refusal.empty()) refusal = CheckEveryThread(host, pool);
  return refusal.empty() ? host.MakeGemm(pool, progress) : nullptr;
}

}  // namespace native_ddp
