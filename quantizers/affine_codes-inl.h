// Codes of vectors of floats, for the kernels of this room. Included once for each of Highway's
// targets.
#if defined(EVENKEEL_QUANTIZERS_AFFINE_CODES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EVENKEEL_QUANTIZERS_AFFINE_CODES_INL_H_
#undef EVENKEEL_QUANTIZERS_AFFINE_CODES_INL_H_
#else
#define EVENKEEL_QUANTIZERS_AFFINE_CODES_INL_H_
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace evenkeel::HWY_NAMESPACE {

// round(value / step), by way of the inverse where that cannot differ. The product is off from the
// quotient as it would be rounded by less than 2^-21 of itself: by three roundings of 2^-24 and,
// where the step is so large that the inverse has lost bits, by 2^-22 more. Both have the same
// nearest whole number when no half lies between. A division takes as long as all the rest.
template <class D, class V>
HWY_INLINE V rounded_quotient(D d, V value, V step, V inverse) {
  namespace hn = hwy::HWY_NAMESPACE;
  const auto product = hn::Mul(value, inverse);
  const auto rounded = hn::Round(product);
  const auto reach =
      hn::MulAdd(hn::Abs(product), hn::Set(d, 0x1p-21F), hn::Abs(hn::Sub(product, rounded)));
  // Not a number either, or too large to tell.
  if (HWY_LIKELY(hn::AllTrue(d, hn::Lt(reach, hn::Set(d, 0.5F))))) return rounded;
  return hn::Round(hn::Div(value, step));
}

// clamp(rounded + zero), as floats; NaN gives `low` on every target, where a plain maximum would
// depend on the target.
template <class V>
HWY_INLINE V code_of_rounded(V rounded, V zero, V low, V high) {
  namespace hn = hwy::HWY_NAMESPACE;
  const V code = hn::Add(rounded, zero);
  return hn::Min(hn::IfThenElse(hn::Ge(code, low), code, low), high);
}

}  // namespace evenkeel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
