"""axe, which judges how accessible a page is: whole, and again where only its appearance has changed."""

from playwright.sync_api import BrowserContext, Page

from tests.theme.support import node_tool

RUN = """async rules => {
    const standards = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"];
    const found = await axe.run(document, {
        runOnly: rules.length ? {type: "rule", values: rules} : {type: "tag", values: standards},
        rules: rules.length ? {} : {"target-size": {enabled: true}},
        resultTypes: ["violations"],
    });
    return found.violations.flatMap(rule => rule.nodes.map(node =>
        `${rule.id}: ${node.html.slice(0, 160)} ${node.failureSummary.replace(/\\s+/g, " ")}`));
}"""
#: What colours and widths can change in a page that was judged whole before.
APPEARANCE = ["color-contrast", "link-in-text-block", "scrollable-region-focusable", "target-size"]


def bring_axe(context: BrowserContext) -> None:
    """Let every page that is opened from now on have axe."""
    context.add_init_script(node_tool("BLOG_TEST_AXE", "axe-core/axe.min.js").read_text("utf-8"))


def judge_whole(page: Page) -> list[str]:
    return [str(one) for one in page.evaluate(RUN, [])]


def judge_appearance(page: Page) -> list[str]:
    return [str(one) for one in page.evaluate(RUN, APPEARANCE)]
