#pragma once

#include <cstdint>

/** What needs the AMX instructions; to be called only where AmxHost has granted them. */
namespace native_ddp::amx {

/** tiles::MultiplyPanels on the tile registers of this CPU. */
void MultiplyPanels(int rows, int columns, int depth, const std::uint16_t* a, const std::uint16_t* b, bool accumulate,
                    float* c, std::int64_t leading);

}  // namespace native_ddp::amx
