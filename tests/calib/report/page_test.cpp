#include "calib/report/page.h"

#include <string>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

TEST(Page, TextCannotBecomeMarkup) {
  Page page("a < b & \"c\"");
  page.paragraph("<script>alert(1)</script>");
  page.table({{"model", false}, {"bits"}}, {{"<b>", "3"}});
  const std::string html = page.html();
  EXPECT_EQ(html.find("<script"), std::string::npos);
  EXPECT_NE(html.find("&lt;script&gt;alert(1)&lt;/script&gt;"), std::string::npos);
  EXPECT_NE(html.find("<title>a &lt; b &amp; &quot;c&quot;</title>"), std::string::npos);
  EXPECT_NE(html.find("<td>&lt;b&gt;</td><td class=\"n\">3</td>"), std::string::npos);
  EXPECT_EQ(html.find("src="), std::string::npos);
  EXPECT_EQ(html.find("href="), std::string::npos);
}

}  // namespace
}  // namespace evenkeel
