import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkAreaComponent, TitleComponent } from 'echarts/components';
import { type ComposeOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { LineSeriesOption } from 'echarts/charts';
import type { GridComponentOption, LegendComponentOption, TitleComponentOption } from 'echarts/components';

use([LineChart, GridComponent, LegendComponent, MarkAreaComponent, TitleComponent, SVGRenderer]);

type Option = ComposeOption<
  GridComponentOption | LegendComponentOption | LineSeriesOption | TitleComponentOption
>;

export interface Line {
  readonly name: string;
  readonly color: string;
  readonly isDashed?: boolean;
  /** Pairs of x and y, in the order of x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Chart {
  readonly title: string;
  readonly lines: readonly Line[];
}

export interface Picture {
  readonly title: string;
  readonly xAxisTitle: string;
  readonly xMax: number;
  /** The part of each chart that is highlighted, and its name. */
  readonly highlighted: { readonly name: string; readonly from: number; readonly to: number };
  /** Two in a row. */
  readonly charts: readonly Chart[];
}

const CHART = { width: 480, height: 190, left: 56, top: 118, gapX: 72, gapY: 112 };
const TEXT_COLOR = '#1f2328';
const MUTED_COLOR = '#59636e';

/** Renders line charts as one SVG. Its background is white, so that it is readable on a light and on a dark page. */
export function renderLineCharts({ title, xAxisTitle, xMax, highlighted, charts }: Picture): string {
  const rows = Math.ceil(charts.length / 2);
  const position = (index: number): { left: number; top: number } => ({
    left: CHART.left + (index % 2) * (CHART.width + CHART.gapX),
    top: CHART.top + Math.floor(index / 2) * (CHART.height + CHART.gapY),
  });
  const option: Option = {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'Helvetica, Arial, sans-serif', color: TEXT_COLOR },
    title: [
      { text: title, left: CHART.left - 40, top: 14, textStyle: { fontSize: 20, color: TEXT_COLOR } },
      ...charts.map((chart, index) => ({
        text: chart.title,
        left: position(index).left - 40,
        top: position(index).top - 58,
        textStyle: { fontSize: 15, color: TEXT_COLOR },
      })),
    ],
    legend: charts.map(({ lines }, index) => ({
      data: lines.map(({ name, isDashed }) => ({ name, ...(!isDashed && { icon: 'roundRect' }) })),
      left: position(index).left - 43,
      top: position(index).top - 35,
      selectedMode: false,
      itemWidth: 24,
      itemHeight: 4,
      itemGap: 16,
      textStyle: { fontSize: 13, color: TEXT_COLOR },
    })),
    grid: charts.map((_, index) => ({ ...position(index), width: CHART.width, height: CHART.height })),
    xAxis: charts.map((_, gridIndex) => ({
      gridIndex,
      type: 'value',
      name: xAxisTitle,
      nameLocation: 'middle',
      nameGap: 26,
      nameTextStyle: { fontSize: 13, color: MUTED_COLOR },
      axisLabel: { fontSize: 13, color: MUTED_COLOR },
      splitLine: { show: false },
      max: xMax,
      axisLine: { lineStyle: { color: MUTED_COLOR } },
    })),
    yAxis: charts.map((_, gridIndex) => ({
      gridIndex,
      type: 'value',
      min: 0,
      splitNumber: 4,
      axisLabel: { fontSize: 13, color: MUTED_COLOR },
    })),
    series: charts.flatMap(({ lines }, index) =>
      lines.map(({ name, color, isDashed, points }, n): LineSeriesOption => ({
        type: 'line',
        name,
        xAxisIndex: index,
        yAxisIndex: index,
        symbol: 'none',
        color,
        lineStyle: { width: isDashed ? 1.5 : 2.5, type: isDashed ? 'dashed' : 'solid' },
        data: points.map(([x, y]) => [x, y]),
        ...(n === 0 && {
          markArea: {
            silent: true,
            itemStyle: { color: '#f1f3f5' },
            label: { color: MUTED_COLOR, fontSize: 13, position: 'top', distance: 2 },
            data: [[{ name: highlighted.name, xAxis: highlighted.from }, { xAxis: highlighted.to }]],
          },
        }),
      })),
    ),
  };
  const chart = init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: 2 * CHART.width + CHART.gapX + CHART.left + 24,
    height: CHART.top + rows * CHART.height + (rows - 1) * CHART.gapY + 56,
  });
  try {
    chart.setOption(option);
    return chart.renderToSVGString({ useViewBox: true });
  } finally {
    chart.dispose();
  }
}
