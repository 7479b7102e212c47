#include "calib/report/page.h"

#include <string>

#include <gtest/gtest.h>

namespace evenkeel {
namespace {

// What is not the page's own style and script.
std::string content_of(const Page& page,
                       const std::vector<std::optional<std::string>>& drawings = {}) {
  const std::string html = page.html(drawings);
  const std::size_t begin = html.find("<body>");
  return html.substr(begin, html.rfind("<script>") - begin);
}

TEST(Page, TextCannotBecomeMarkup) {
  const std::string hostile = "<script>alert(1)</script>\"'&";
  const std::string safe = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&amp;";
  Page page(hostile);
  page.lead(hostile);
  page.heading(hostile);
  page.heading("another");
  page.subheading(hostile);
  page.paragraph(hostile);
  page.fields({{hostile, hostile}});
  page.table({{hostile, false}, {"bits"}}, {{hostile, "3"}});
  page.preformatted(hostile, hostile);
  page.figure({.name = "c", .title = hostile}, hostile);
  const std::string content = content_of(page, {"<svg></svg>"});
  EXPECT_EQ(content.find("<script"), std::string::npos);
  EXPECT_EQ(content.find("\"'"), std::string::npos);
  std::size_t count = 0;
  for (std::size_t at = content.find(safe); at != std::string::npos;
       at = content.find(safe, at + 1)) {
    ++count;
  }
  EXPECT_EQ(count, 14U);  // heading: also in the contents; fields, table, preformatted, figure: two
  EXPECT_NE(page.html().find("<title>" + safe + "</title>"), std::string::npos);
  EXPECT_EQ(page.html().find("src="), std::string::npos);
}

TEST(Page, ForbidsTheNetwork) {
  const std::string html = Page("t").html();
  const std::size_t policy = html.find("Content-Security-Policy");
  EXPECT_LT(html.find("default-src 'none'", policy), html.find("<style>"));
  EXPECT_EQ(html.find("http:"), std::string::npos);
  EXPECT_EQ(html.find("https:"), std::string::npos);
}

TEST(Page, ContentsLinkToItsSections) {
  Page page("t");
  page.lead("answer");
  page.heading("one");
  EXPECT_EQ(content_of(page).find("<nav"), std::string::npos);
  page.heading("two");
  const std::string content = content_of(page);
  const std::size_t nav = content.find("<nav");
  EXPECT_LT(content.find("answer"), nav);
  EXPECT_LT(nav, content.find("<h2 id=\"section-1\">one</h2>"));
  EXPECT_NE(content.find("<a href=\"#section-2\">two</a>"), std::string::npos);
  EXPECT_NE(content.find("<h2 id=\"section-2\">two</h2>"), std::string::npos);
}

TEST(Page, TablesHaveButtonsThatSort) {
  Page page("t");
  page.table({{"model", false}, {"bits"}}, {{"a", "3"}});
  const std::string content = content_of(page);
  EXPECT_NE(
      content.find("<th scope=\"col\"><button type=\"button\">model</button></th>"
                   "<th scope=\"col\" class=\"n\"><button type=\"button\">bits</button></th>"),
      std::string::npos);
  EXPECT_NE(content.find("<td>a</td><td class=\"n\">3</td>"), std::string::npos);
}

TEST(Page, FiguresStandWhereTheyWerePut) {
  Page page("t");
  page.figure({.name = "same", .title = "first"}, "of the first");
  page.paragraph("between");
  page.figure({.name = "same", .title = "second"}, "");
  page.figure({.name = "same", .title = "third"}, "of the third");
  ASSERT_EQ(page.charts().size(), 3U);
  EXPECT_EQ(page.charts()[1].name, "same-2");
  EXPECT_EQ(page.charts()[2].name, "same-3");
  const std::string content = content_of(page, {"<svg>1</svg>", "<svg>2</svg>", std::nullopt});
  EXPECT_LT(content.find("<svg>1"), content.find("of the first"));
  EXPECT_LT(content.find("of the first"), content.find("between"));
  EXPECT_LT(content.find("between"), content.find("<svg>2"));
  EXPECT_NE(content.find("aria-label=\"second\""), std::string::npos);
  // Without its drawing a figure is nothing.
  EXPECT_EQ(content.find("of the third"), std::string::npos);
  EXPECT_EQ(content_of(page).find("<figure"), std::string::npos);
}

TEST(Page, AppendsAnotherWithItsSectionsAndCharts) {
  Page page("one");
  page.heading("first");
  page.figure({.name = "same", .title = "a"}, "");
  Page other("two <b>");
  other.lead("its answer");
  other.heading("second");
  other.figure({.name = "same", .title = "b"}, "");
  page.append(other);
  ASSERT_EQ(page.charts().size(), 2U);
  EXPECT_EQ(page.charts()[1].name, "same-2");
  EXPECT_EQ(page.charts()[1].title, "b");
  const std::string content = content_of(page, {"<svg>1</svg>", "<svg>2</svg>"});
  EXPECT_LT(content.find("<h2 id=\"section-1\">first"), content.find("<svg>1"));
  EXPECT_LT(content.find("<svg>1"), content.find("<h1>two &lt;b&gt;</h1>"));
  EXPECT_LT(content.find("<h1>two"), content.find("its answer"));
  EXPECT_LT(content.find("its answer"), content.find("<h2 id=\"section-2\">second"));
  EXPECT_LT(content.find("section-2\">second</h2>"), content.find("<svg>2"));
  EXPECT_NE(content.find("<a href=\"#section-2\">second</a>"), std::string::npos);
}

}  // namespace
}  // namespace evenkeel
