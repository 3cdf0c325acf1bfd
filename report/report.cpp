// SPDX-License-Identifier: MIT
#include "report/report.h"

#include "report/forms.h"

namespace bufpool {

void render(const Snapshot& snapshot, const ReportContext& context, ReportForm form,
            LineSink sink) noexcept {
  switch (form) {
    case ReportForm::kText:
      return render_text(snapshot, context, sink);
    case ReportForm::kJson:
      return render_json(snapshot, context, sink);
    case ReportForm::kPrometheus:
      return render_prometheus(snapshot, context, sink);
  }
}

}  // namespace bufpool
