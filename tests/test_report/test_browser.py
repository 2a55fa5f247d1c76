"""The page in a browser: clicks, keys and pointer do what they say, and nothing is asked of any network."""
import json
import math
import os
import shutil

import pytest
from report_maker import make_folder, write_logs

from mmcluster.report import write_report

api = pytest.importorskip('playwright.sync_api', reason='needs playwright: pip install playwright')
CHROMIUM = os.environ.get('CHROMIUM') or shutil.which('chromium') or shutil.which('chromium-browser')
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason='needs chromium')
OPTIONS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
           '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage']
HOSTILE = ['</script><script>window.harmed = 1</script>.png', '<img src=x onerror=window.harmed=1>.png',
           '"\'><svg onload=window.harmed=1>.png', 'line\nbreak \u202e.png', '😀 {{ 7 * 7 }}.png']


@pytest.fixture(scope='module')
def browser():
    with api.sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield made
        made.close()


@pytest.fixture(scope='module')
def report(tmp_path_factory):
    names = [f'part {i % 2}/image_{i:04}.png' for i in range(60)] + [f'odd/{name}' for name in HOSTILE]
    labels = [HOSTILE[i % 5] for i in range(len(names))]
    result = make_folder(tmp_path_factory.mktemp('page'), names=names, label=labels, clusters=8, nowhere=4, curve=True,
                         unreadable=[(HOSTILE[0], HOSTILE[1])])
    stages = ['training/first', f'training/{HOSTILE[1]}']
    for stage in stages:
        write_logs(result / stage, [[dict(iter=step, step=step, loss=10 / step if step % 50 else math.nan, feat_std=0.1,
                                          cluster_min=9 * step, cluster_max=100 * step) for step in range(1, 900)]],
                   [{'epoch': 1, 'head/acc': 0.5, 'head/nmi': 0.25, 'head/ari': -0.1}])
    summary = json.loads((result / 'summary.json').read_text())
    (result / 'summary.json').write_text(json.dumps(dict(summary, training=stages)))
    return write_report(result)


@pytest.fixture
def page(browser, report):
    """The page; complaints of the browser and requests of the page fail the test."""
    context = browser.new_context(viewport=dict(width=1280, height=900), offline=True, reduced_motion='reduce')
    page, faults = context.new_page(), []
    page.on('console', lambda message: faults.append(message.text))
    page.on('pageerror', lambda error: faults.append(str(error)))
    page.on('request', lambda request: faults.append(request.url) if not request.url.startswith(
        ('data:', report.as_uri())) else None)
    context.route(lambda url: not url.startswith(report.as_uri()), lambda route: route.abort())
    page.set_default_timeout(5000)
    page.goto(report.as_uri())
    yield page
    assert page.evaluate('window.harmed') is None
    context.close()
    assert faults == []


def contrast(*colors):
    """Ratio of the luminances of two colours, as WCAG defines it."""
    linear = [[(v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4) for v in (value / 255 for value in color)]
              for color in colors]
    low, high = sorted(0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05 for red, green, blue in linear)
    return high / low


def title(page):
    return page.inner_text('#cluster-title').split()[-1]


def test_clicks(page):
    page.click('[data-cluster="3"].cluster-card')
    assert title(page) == '3' and page.evaluate('location.hash') == '#cluster=3'
    assert page.get_attribute('[data-cluster="3"].cluster-card', 'aria-pressed') == 'true'
    page.click('#cluster-sections .tile >> nth=0')
    assert page.is_visible('#viewer') and 'Cluster 3' in page.inner_text('#viewer-facts')
    page.keyboard.press('Escape')
    assert not page.is_visible('#viewer')
    page.click('[data-cluster="-1"].cluster-card')
    assert 'Belongs nowhere' in page.inner_text('#cluster-title')
    page.check('#grouped')
    assert page.locator('.group').count() == 3      # two groups, and what belongs nowhere
    page.evaluate('() => { const s = document.getElementById("coarse"); s.value = 5; s.oninput(); }')
    assert page.locator('.group').count() == 6
    assert page.locator('.group .cluster-card').count() == 9


def test_keys(page):
    page.keyboard.press(']')
    assert title(page) == '1'
    page.focus('[data-cluster="0"].cluster-card')
    page.keyboard.press('ArrowRight')
    page.keyboard.press('Enter')
    assert title(page) == '1'
    page.focus('#map-images')       # a switch is no place for text
    page.keyboard.press('/')
    page.keyboard.type('IMAGE_0012 part')
    page.wait_for_selector('#results-title:has-text("1 image found")')
    page.keyboard.press('ArrowDown')
    page.keyboard.press('Enter')
    assert 'part 0/image_0012.png' in page.inner_text('#viewer-facts')
    page.keyboard.press('Escape')
    page.focus('#search')
    page.keyboard.press('Escape')
    assert page.is_hidden('#results')
    seen = set()
    for _ in range(80):         # everything that a mouse can reach is reached with the tab key
        page.keyboard.press('Tab')
        seen.add(page.evaluate('document.activeElement.id'))
    assert {'grouped', 'cluster-next', 'map-images', 'map-color', 'map-in', 'map-canvas'} <= seen


def test_hostile_names_are_found_and_shown(page):
    for name in reversed(HOSTILE):
        page.fill('#search', '')
        page.wait_for_selector('#results', state='hidden')
        page.fill('#search', 'odd/' + name.split('\n')[0])
        page.wait_for_selector('#results-title:has-text("1 image found")')
    page.click('#results-tiles .tile')
    assert HOSTILE[0] in page.inner_text('#viewer-facts')


def test_the_map(page):
    page.keyboard.press('Tab')
    page.focus('#map-canvas')
    page.keyboard.press('ArrowRight')
    first = page.inner_text('#map-status')
    assert first and page.is_visible('#map-hover img')
    moved = {first}
    for key in ('ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp') * 2:
        page.keyboard.press(key)
        moved.add(page.inner_text('#map-status'))
    assert len(moved) > 2
    page.keyboard.press('0')
    assert page.is_hidden('#map-hover')
    box = page.locator('#map-canvas').bounding_box()
    for step in range(400):     # a walk of the pointer over the whole map meets images
        page.mouse.move(box['x'] + step % 40 * box['width'] / 40, box['y'] + step // 40 * box['height'] / 10 + 20)
        if page.is_visible('#map-hover'):
            break
    named = page.inner_text('#map-hover bdi')
    page.mouse.down()
    page.mouse.up()
    assert page.inner_text('#viewer-name') in named
    page.click('#viewer-map')
    page.click('#map-reset')
    page.check('#map-images')
    page.select_option('#map-color', 'label')
    pixels = 'document.getElementById("map-canvas").toDataURL().length'
    page.click('#legend button >> nth=0')           # hides all
    page.wait_for_timeout(100)
    empty = page.evaluate(pixels)
    page.click('#legend [data-cluster="2"]')
    page.wait_for_timeout(100)
    assert page.evaluate(pixels) > empty
    assert page.get_attribute('#legend [data-cluster="2"]', 'aria-pressed') == 'true'


@pytest.mark.parametrize('width', [390, 1280])
@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_it_fits_and_follows_the_scheme(page, width, scheme):
    page.set_viewport_size(dict(width=width, height=844))
    page.emulate_media(color_scheme=scheme)
    assert page.evaluate('document.documentElement.scrollWidth') == width
    paper = page.evaluate('getComputedStyle(document.body).backgroundColor')
    assert (sum(map(int, paper[4:-1].split(','))) < 384) == (scheme == 'dark')


@pytest.mark.parametrize('width', [390, 1280])
@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_the_training(page, width, scheme):
    page.set_viewport_size(dict(width=width, height=844))
    page.emulate_media(color_scheme=scheme)
    if width > 760:
        page.click('nav >> text=Training')
        assert page.evaluate('location.hash') == '#training'
    assert 'first' in page.inner_text('#training') and HOSTILE[1] in page.inner_text('#training')
    drawn = page.locator('#training svg[role="img"]')
    assert drawn.count() == 8       # four charts of two stages
    columns = {round(drawn.nth(number).bounding_box()['x']) for number in range(8)}
    assert len(columns) == (2 if width > 760 else 1), 'side by side, or below each other on a phone'
    assert page.locator('#training polyline').first.bounding_box()['height'] > 5
    size = page.evaluate('''() => { const text = document.querySelector("#training .tick");
        return parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM().a; }''')
    assert size > 9.5, 'pixels of the smallest text'
    page.click('#training summary')
    assert 'cluster_min' in page.inner_text('#training details')
    assert page.evaluate('document.documentElement.scrollWidth') == width
    stroke, paper = page.evaluate('''() => [getComputedStyle(document.querySelector("#training .line-2")).stroke,
        getComputedStyle(document.querySelector("#training")).backgroundColor].map((color) =>
        color.match(/\\d+/g).map(Number))''')
    assert contrast(stroke, paper) > 3


def test_every_control_has_a_name(page):
    page.click('#cluster-sections .tile >> nth=0')
    nameless = page.evaluate('''() => [...document.querySelectorAll("button, input, select, canvas, svg[role]")].filter(
        (node) => !(node.getAttribute("aria-label") || node.textContent.trim() || node.closest("label"))).length''')
    assert nameless == 0
    chips = page.evaluate('''() => [...document.querySelectorAll("#legend .chip")].map((node) => [node.style.color,
        node.style.backgroundColor].map((color) => color.match(/\\d+/g).map(Number)))''')
    assert len(chips) == 9 and min(contrast(*colors) for colors in chips) > 4.5
    assert page.evaluate('new Set([...document.querySelectorAll("[id]")].map((n) => n.id)).size') == \
        page.locator('[id]').count()
