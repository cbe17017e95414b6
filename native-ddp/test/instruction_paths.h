#pragma once

#include <gtest/gtest.h>

#include <string>

#include "transformer/instruction_set.h"

namespace native_ddp {

/** What tests of numbers run on; those that this CPU lacks are skipped. */
constexpr InstructionSet kPaths[] = {InstructionSet::kGeneric, InstructionSet::kAvx2, InstructionSet::kAvx512Bf16,
                                     InstructionSet::kAmx};

inline std::string PathName(const testing::TestParamInfo<InstructionSet>& info) { return NameOf(info.param); }

}  // namespace native_ddp
