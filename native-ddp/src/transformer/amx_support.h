#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "threads/thread_pool.h"
#include "transformer/gemm.h"

namespace native_ddp {

/** What the use of AMX depends on; tests put another one in its place. */
class AmxHost {
 public:
  virtual ~AmxHost() = default;

  /** EDX of CPUID leaf 7, where the CPU claims AMX. */
  virtual std::uint32_t ClaimedFeatures() = 0;
  /** Whether the CPU has AVX512-BF16, with which operands are packed for tiles. */
  virtual bool CanPack() = 0;
  /** The system call arch_prctl: 0 or the error number. */
  virtual int ArchPrctl(int code, std::uint64_t argument) = 0;
  /** Products on tiles. */
  virtual std::unique_ptr<Gemm> MakeGemm(ThreadPool& pool, std::atomic<std::uint64_t>& progress) = 0;
};

/** This CPU and its kernel. */
AmxHost& ThisHost();

/** Whether the CPU claims to have AMX with BF16: only then is a refusal news. */
bool ClaimsAmx(AmxHost& host);

/**
 * Asks CPU and kernel for tiles. The answer is for the whole process and its threads, but the kernel makes room for
 * tiles in those only that are made afterwards: call it before. It may be called again. Returns the reason of a
 * refusal, otherwise nothing.
 */
std::string RequestAmx(AmxHost& host);

/**
 * Products on tiles, after RequestAmx and a product with a known answer on every thread of the pool. Null where they
 * are refused, with the reason in `refusal`.
 */
std::unique_ptr<Gemm> MakeAmxGemm(AmxHost& host, ThreadPool& pool, std::atomic<std::uint64_t>& progress,
                                  std::string& refusal);

}  // namespace native_ddp
