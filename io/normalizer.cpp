#include "io/normalizer.h"

namespace evenkeel {

std::unique_ptr<const Normalizer> make_normalizer(const ComponentSettings& settings) {
  constexpr std::span<const ComponentType<Normalizer>> types;
  return make_component(settings, settings.text("type"), types);
}

}  // namespace evenkeel
