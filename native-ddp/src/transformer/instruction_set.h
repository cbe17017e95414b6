#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "threads/thread_pool.h"
#include "transformer/amx_support.h"
#include "transformer/gemm.h"

namespace native_ddp {

/** What matrix products may use of a CPU. */
enum class InstructionSet {
  kAuto,        // the fastest that this CPU has
  kGeneric,     // what libtorch's BLAS chooses
  kAvx2,        // AVX2 and FMA
  kAvx512,      // AVX-512 F, BW and VL: fused multiply-adds on registers of 512 bits
  kAvx512Bf16,  // dot products of BF16
  kAmx,         // tiles of BF16
};

/** By its name in configurations: auto, generic, avx2, avx512, avx512bf16, amx. Others are std::invalid_argument. */
InstructionSet InstructionSetNamed(const std::string& name);

/** Its name in configurations. */
std::string NameOf(InstructionSet instructions);

/**
 * Asks the kernel for what these instructions need; call it before the threads that use them are made, other than for
 * tests. A refusal shows in MakeGemm. Returns `instructions`.
 */
InstructionSet RequestInstructions(InstructionSet instructions, AmxHost& host = ThisHost());

/** Why this machine cannot use the instructions, as `this CPU lacks AVX2 or FMA`; nothing if it can. */
std::string Refusal(InstructionSet instructions, AmxHost& host = ThisHost());

/** Whether there is no refusal. */
bool IsSupported(InstructionSet instructions);

/**
 * Products by these instructions. Throws std::runtime_error with the reason if this machine refuses them: nothing else
 * is taken instead. kAuto takes AMX where it can; otherwise what multiplies fastest here, which the first call in a
 * process measures in some milliseconds. Where it does not take AMX although the CPU claims it, one line on stderr says
 * why.
 */
std::unique_ptr<Gemm> MakeGemm(InstructionSet instructions, ThreadPool& pool, std::atomic<std::uint64_t>& progress,
                               AmxHost& host = ThisHost());

}  // namespace native_ddp
