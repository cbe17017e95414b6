#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "emulated_tiles.h"
#include "transformer/amx_support.h"

namespace native_ddp {

/** On emulated tiles; grants everything until told otherwise. */
class FakeAmxHost final : public AmxHost {
 public:
  static constexpr std::uint32_t kAmxBf16 = 1U << 22;
  static constexpr std::uint32_t kAmxTile = 1U << 24;

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
  static constexpr int kGetSupportedStates = 0x1021;
  static constexpr int kRequestPermission = 0x1023;

  std::mutex mutex_;
};

}  // namespace native_ddp
