#include "transformer/attention.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "transformer/row_kernels.h"

namespace native_ddp {
namespace {

// Queries are taken in blocks, so that what a causal mask hides from all of a block is not computed.
constexpr int kBlockQueries = 128;

struct QueryBlock {
  int begin;  // among the head's queries
  int count;
  int visible;  // rows of the sample that the last of them sees
};

QueryBlock BlockAt(const AttentionHead& head, int begin) {
  const int count = std::min(kBlockQueries, head.queries - begin);
  return {begin, count, head.visible[begin + count - 1]};
}

template <class Element>
Strided<Element> Row(Strided<Element> matrix, std::int64_t row) {
  return {matrix.data + row * matrix.leading, matrix.leading};
}

float ScoreScale(const AttentionHead& head) { return 1.0F / std::sqrt(static_cast<float>(head.head_size)); }

/** products[count, P + visible] = scale · rows · [prefix; own]ᵀ */
void TimesKeys(const AttentionHead& head, const QueryBlock& block, float scale, StridedInput rows, StridedInput prefix,
               StridedInput own, float* products) {
  const std::int64_t columns = head.prefix_length + block.visible;
  Sgemm(Transpose::kNo, Transpose::kYes, block.count, head.prefix_length, head.head_size, scale, rows, prefix, 0,
        {products, columns});
  Sgemm(Transpose::kNo, Transpose::kYes, block.count, block.visible, head.head_size, scale, rows, own, 0,
        {products + head.prefix_length, columns});
}

/** result[count, D] = coefficients · [prefix; own] */
void TimesValues(const AttentionHead& head, const QueryBlock& block, const float* coefficients, StridedInput prefix,
                 StridedInput own, StridedOutput result) {
  const std::int64_t columns = head.prefix_length + block.visible;
  Sgemm(Transpose::kNo, Transpose::kNo, block.count, head.head_size, block.visible, 1,
        {coefficients + head.prefix_length, columns}, own, 0, result);
  if (head.prefix_length > 0) {
    Sgemm(Transpose::kNo, Transpose::kNo, block.count, head.head_size, head.prefix_length, 1, {coefficients, columns},
          prefix, 1, result);
  }
}

/** prefix += coefficientsᵀ · rows over the prefix columns, and the same for own unless it is null. */
void AddTransposed(const AttentionHead& head, const QueryBlock& block, const float* coefficients, StridedInput rows,
                   StridedOutput prefix, StridedOutput own) {
  const std::int64_t columns = head.prefix_length + block.visible;
  Sgemm(Transpose::kYes, Transpose::kNo, head.prefix_length, head.head_size, block.count, 1, {coefficients, columns},
        rows, 1, prefix);
  if (own.data != nullptr) {
    Sgemm(Transpose::kYes, Transpose::kNo, block.visible, head.head_size, block.count, 1,
          {coefficients + head.prefix_length, columns}, rows, 1, own);
  }
}

void Clear(StridedOutput matrix, int rows, int columns) {
  for (int row = 0; row < rows; ++row) std::fill_n(Row(matrix, row).data, columns, 0.0F);
}

std::size_t ScratchSize(const AttentionHead& head) {
  return static_cast<std::size_t>(head.prefix_length + head.rows) *
         static_cast<std::size_t>(std::min(kBlockQueries, head.queries));
}

}  // namespace

void Attend(const AttentionHead& head, StridedOutput output, float* log_sums, std::int64_t log_sums_leading,
            AttentionScratch& scratch) {
  float* scores = scratch.probabilities.Ensure(ScratchSize(head));
  for (int begin = 0; begin < head.queries; begin += kBlockQueries) {
    const QueryBlock block = BlockAt(head, begin);
    const std::int64_t columns = head.prefix_length + block.visible;
    TimesKeys(head, block, ScoreScale(head), Row(head.query, begin), head.prefix_key, head.key, scores);
    for (int i = 0; i < block.count; ++i) {
      float* row = scores + i * columns;
      const std::int64_t seen = head.prefix_length + head.visible[begin + i];
      const float log_sum = Softmax(seen, row);
      std::fill(row + seen, row + columns, 0.0F);
      if (log_sums != nullptr) log_sums[(begin + i) * log_sums_leading] = log_sum;
    }
    TimesValues(head, block, scores, head.prefix_value, head.value, Row(output, begin));
  }
}

void AttendBackward(const AttentionHead& head, StridedInput output_gradient, const float* log_sums,
                    std::int64_t log_sums_leading, const AttentionGradients& gradients, AttentionScratch& scratch) {
  float* scores = scratch.probabilities.Ensure(ScratchSize(head));
  float* score_gradients = scratch.gradients.Ensure(ScratchSize(head));
  const float scale = ScoreScale(head);
  const bool own = gradients.query.data != nullptr;
  if (own) {
    Clear(gradients.key, head.rows, head.head_size);
    Clear(gradients.value, head.rows, head.head_size);
  }
  for (int begin = 0; begin < head.queries; begin += kBlockQueries) {
    const QueryBlock block = BlockAt(head, begin);
    const std::int64_t columns = head.prefix_length + block.visible;
    const StridedInput query = Row(head.query, begin);
    const StridedInput output = Row(output_gradient, begin);
    TimesKeys(head, block, scale, query, head.prefix_key, head.key, scores);
    TimesKeys(head, block, 1, output, head.prefix_value, head.value, score_gradients);
    for (int i = 0; i < block.count; ++i) {
      float* probability = scores + i * columns;
      float* gradient = score_gradients + i * columns;
      const std::int64_t seen = head.prefix_length + head.visible[begin + i];
      SoftmaxBackward(seen, scale, log_sums[(begin + i) * log_sums_leading], probability, gradient);
      std::fill(probability + seen, probability + columns, 0.0F);
      std::fill(gradient + seen, gradient + columns, 0.0F);
    }
    AddTransposed(head, block, scores, output, gradients.prefix_value, gradients.value);
    AddTransposed(head, block, score_gradients, query, gradients.prefix_key, gradients.key);
    if (own) {
      TimesValues(head, block, score_gradients, head.prefix_key, head.key, Row(gradients.query, begin));
    }
  }
}

}  // namespace native_ddp
