// The exponential of a vector of floats, for the kernels of this room. Included once for each of
// Highway's targets.
#if defined(EVENKEEL_MODEL_EXPONENTIAL_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef EVENKEEL_MODEL_EXPONENTIAL_INL_H_
#undef EVENKEEL_MODEL_EXPONENTIAL_INL_H_
#else
#define EVENKEEL_MODEL_EXPONENTIAL_INL_H_
#endif

// The order matters to Highway.
// clang-format off
#include <hwy/highway.h>
#include <hwy/contrib/math/math-inl.h>
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace evenkeel::HWY_NAMESPACE {

// Highway's exponential takes NaN for zero, which would hide it.
template <class D, class V>
HWY_INLINE V exponential(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Exp(d, x));
}

// Of differences to a largest value, which are not positive; zero below -64, where Highway's goes
// down to numbers without a leading one, whose products cost a hundred times as much. What is lost
// is 2^-92 of the sum that such weights are divided by. NaN gives NaN. The polynomial is the best
// (3.6e-9 in relative error) of the form 1 + r + r^2 p(r) over |r| <= ln 2 / 2; that a float's
// ln 2 is 1.9e-9 too large moves the result by less than the rounding of x did.
template <class D, class V>
HWY_INLINE V exponential_of_difference(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::RebindToSigned<D> bits;
  const auto one = hn::Set(d, 1.0F);
  // Adding it leaves round(x / ln 2) + 127, a float's exponent, in the lowest bits.
  const auto rounding = hn::Set(d, 0x1.8p23F + 127.0F);
  const auto rounded = hn::MulAdd(x, hn::Set(d, 1.44269504F), rounding);
  const auto r = hn::NegMulAdd(hn::Sub(rounded, rounding), hn::Set(d, 0.693147182F), x);
  auto p = hn::MulAdd(r, hn::Set(d, 0.00138145406F), hn::Set(d, 0.00836874545F));
  p = hn::MulAdd(p, r, hn::Set(d, 0.0416683890F));
  p = hn::MulAdd(p, r, hn::Set(d, 0.166665211F));
  p = hn::MulAdd(p, r, hn::Set(d, 0.499999940F));
  p = hn::MulAdd(p, r, one);
  p = hn::MulAdd(p, r, one);
  const auto power = hn::BitCast(d, hn::ShiftLeft<23>(hn::BitCast(bits, rounded)));
  return hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -64.0F)), hn::Mul(p, power));
}

}  // namespace evenkeel::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
