#include "calibration/calibration.h"

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <vector>

#include "calibration/read_loop.h"
#include "message.h"
#include "transformer/bfloat16.h"

namespace native_ddp {
namespace {

using Clock = std::chrono::steady_clock;

double SecondsSince(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/** In (-1, 1), differing from one element to the next: a CPU that multiplies zeros runs cooler, and faster. */
float Value(std::int64_t index) {
  const auto mixed = static_cast<std::uint32_t>(static_cast<std::uint64_t>(index) * 2654435761U);
  return static_cast<float>(mixed >> 8) * 0x1p-23F - 1.0F;
}

}  // namespace

Calibration::Calibration(int threads, InstructionSet instructions, const Size& size, AmxHost& host)
    : size_(size),
      requested_(RequestInstructions(instructions, host)),
      pool_(threads),
      gemm_(MakeGemm(requested_, pool_, progress_, host)) {
  const std::int64_t activations = std::int64_t{size_.rows} * size_.hidden;
  float* x = x_.Ensure(static_cast<std::size_t>(activations));
  for (std::int64_t i = 0; i < activations; ++i) x[i] = Value(i);
  std::fill_n(y_.Ensure(static_cast<std::size_t>(activations)), activations, 0.0F);

  std::uint16_t* weights = weights_.Ensure(static_cast<std::size_t>(size_.blocks * BlockElements()));
  pool_.ForEach(std::int64_t{size_.blocks} * size_.hidden, 1, [&](std::int64_t begin, std::int64_t end, int) {
    std::vector<float> row(static_cast<std::size_t>(size_.hidden));
    for (std::int64_t i = begin; i < end; ++i) {
      for (int k = 0; k < size_.hidden; ++k) row[static_cast<std::size_t>(k)] = Value(i * size_.hidden + k);
      ToBfloat16(size_.hidden, row.data(), weights + i * size_.hidden);
    }
  });
}

Rates Calibration::Measure(double seconds) {
  if (!(seconds > 0)) throw std::invalid_argument(Message("Invalid time: ", seconds, " s (must be positive)"));
  Rates rates;
  double operations = 0;
  const Clock::time_point begin = Clock::now();
  for (int block = 0; block == 0 || SecondsSince(begin) < seconds / 2; ++block) {
    Multiply(block % size_.blocks);
    operations += 4.0 * size_.rows * static_cast<double>(BlockElements());
  }
  rates.operations_per_second = operations / SecondsSince(begin);
  // Which of them is faster depends on the CPU.
  rates.bytes_per_second = std::max(BytesPerSecond(ReadLoop, seconds / 4), BytesPerSecond(ReadLoopAhead, seconds / 4));
  return rates;
}

void Calibration::Multiply(int block) {
  const int hidden = size_.hidden;
  const WeightMatrix weight{weights_.data() + block * BlockElements(), ElementType::kBfloat16, hidden, hidden, hidden};
  gemm_->Forward(size_.rows, {x_.data(), hidden}, weight, {y_.data(), hidden}, Output::kOverwrite);
  gemm_->Backward(size_.rows, {x_.data(), hidden}, weight, {y_.data(), hidden}, Output::kOverwrite);
}

double Calibration::BytesPerSecond(void (*loop)(const void*, std::int64_t), double seconds) {
  const Clock::time_point begin = Clock::now();
  double bytes = 0;
  do {
    Read(loop);
    bytes += static_cast<double>(Bytes());
  } while (SecondsSince(begin) < seconds);
  return bytes / SecondsSince(begin);
}

void Calibration::Read(void (*loop)(const void*, std::int64_t)) {
  const auto* data = reinterpret_cast<const char*>(weights_.data());
  pool_.ForEach(Bytes() / kReadStep, 1, [&](std::int64_t begin, std::int64_t end, int) {
    loop(data + begin * kReadStep, (end - begin) * kReadStep);
  });
  ++progress_;
}

}  // namespace native_ddp
